"""From Hyperopt's search expressions."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from kerashpo.core.errors import InvalidSpace, MissingExtra
from kerashpo.space.domains import Choice, Domain, Float, Integer
from kerashpo.space.params import Condition, Param

_UNBOUNDED = ("normal", "qnormal", "lognormal", "qlognormal")
_WRAPPERS = ("float", "int")
_EPSILON = 1e-9
_CONTAINERS = ("dict", "pos_args")


def params_of(expression: Any) -> list[Param]:
    """Returns the parameters of an expression, named by their labels, parents first.

    Raises:
        MissingExtra: if hyperopt is not installed.
        InvalidSpace: for a distribution without bounds, weights of a choice, or a value that is
            computed from parameters.
    """
    try:
        from hyperopt.pyll import as_apply
    except ImportError:
        raise MissingExtra(
            "from_hyperopt needs hyperopt: python -m pip install 'kerashpo[hyperopt]'."
        ) from None
    return list(_walk(as_apply(expression), ()))


def _walk(node: Any, conditions: tuple[Condition, ...]) -> Iterator[Param]:
    """Yields the parameters of an expression tree."""
    if node.name == "literal":
        return
    if node.name == "switch":
        yield from _choice(node, conditions)
        return
    label, whole = _labelled(node)
    if label is not None:
        yield Param(label.pos_args[0].obj, _domain(label, whole), conditions)
        return
    for child in node.inputs():
        found = list(_walk(child, conditions))
        if found and node.name not in _CONTAINERS:
            raise InvalidSpace(
                f"Parameter {found[0].name!r}: the expression computes another value from it "
                f"({node.name}), which would be lost. Compute that in the function that is "
                "optimised, from the parameter's value."
            )
        yield from found


def _labelled(node: Any) -> tuple[Any, bool]:
    """Returns the labelled draw under wrappers, and whether it is made a whole number."""
    whole = False
    while node.name in _WRAPPERS:
        whole, node = whole or node.name == "int", node.pos_args[0]
    return (node, whole) if node.name == "hyperopt_param" else (None, False)


def _choice(node: Any, conditions: tuple[Condition, ...]) -> Iterator[Param]:
    """Yields a choice and the parameters that exist only under one of its options.

    Options that are plain values are chosen as they are, others by their position.
    """
    draw, *options = node.pos_args
    name = draw.pos_args[0].obj
    if draw.pos_args[1].name != "randint":
        weights = [one.obj for one in draw.pos_args[1].pos_args[0].pos_args]
        if len(set(weights)) > 1:
            raise InvalidSpace(
                f"Parameter {name!r}: a choice here has no weights. Write hp.choice, or its "
                f"frequent values' own parameters. Received: weights {weights}."
            )
    plain = all(one.name == "literal" for one in options)
    values = tuple(one.obj for one in options) if plain else tuple(range(len(options)))
    yield Param(name, Choice(values), conditions)
    for position, option in enumerate(options):
        yield from _walk(option, (*conditions, Condition(name, (position,))))


def _domain(label: Any, whole: bool) -> Domain:
    name, draw = label.pos_args[0].obj, label.pos_args[1]
    kind, numbers = draw.name, [one.obj for one in draw.pos_args]
    numbers += [one.obj for _, one in draw.named_args]
    match kind:
        case "uniform" if not whole:
            return Float(float(numbers[0]), float(numbers[1]))
        case "loguniform" if not whole:
            return Float(math.exp(numbers[0]), math.exp(numbers[1]), None, "log")
        case "quniform" | "uniformint":
            low, high, step = (*numbers, 1)[:3]
            # Hyperopt rounds a number between the bounds: a bound halfway between two multiples of
            # the step is never rounded outwards.
            first = (math.floor(low / step - 0.5 + _EPSILON) + 1) * step
            last = (math.ceil(high / step + 0.5 - _EPSILON) - 1) * step
            if whole and step == round(step):
                return Integer(round(first), round(last), None if step == 1 else round(step))
            if not whole:
                return Float(float(first), float(last), float(step))
        case "qloguniform" if numbers[2] == 1:
            bounds = [max(1, round(math.exp(number))) for number in numbers[:2]]
            return Integer(bounds[0], bounds[1], None, "log")
        case "randint":
            low, high = (0, numbers[0]) if len(numbers) == 1 else numbers
            return Integer(int(low), int(high) - 1)
    reason = "it has no bounds" if kind in _UNBOUNDED else "it has no counterpart here"
    raise InvalidSpace(
        f"Parameter {name!r}: hp.{kind} cannot be searched here, {reason}. Use hp.uniform, "
        "hp.loguniform, hp.quniform, hp.randint or hp.choice."
    )
