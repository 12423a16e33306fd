"""`Task`: a data set with a hypermodel, what the comparison trains."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from kerashpo.core.errors import InvalidInput, require_integer, require_number
from kerashpo.core.objective import to_objectives
from kerashpo.core.records import Objective
from kerashpo.objectives import named
from kerashpo.problems.from_arrays import ArrayData
from kerashpo.problems.splits import Array, Split

Inputs: TypeAlias = "Array | Mapping[str, Array] | Sequence[Array]"
"""Samples of a model with one input, or with several, by name or in order."""
Text: TypeAlias = "str | Mapping[str, str]"
"""A sentence, or sentences by language, e.g. ``{"en": "Wine", "es": "Vino"}``."""
_NAME = re.compile(r"[\w][\w.-]*")


@dataclass(frozen=True, slots=True)
class Task:
    """A problem of the comparison.

    Attributes:
        name: its name in CSV files, folders and flags: letters, digits, ``_``, ``-`` and ``.``.
        build: ``build_model(hp)``; its declared defaults are the untuned baseline.
        load: returns the split of a seed.
        objective: the objective, a metric on the validation part; a metric's name, too. Or a list
            of several, such as ``["val_accuracy", "size"]`` (see `kerashpo.objectives`), whose
            first is such a metric: then fronts are compared by their hypervolume.
        target: a good value of the objective, whose epochs and seconds are reported; None for
            the untuned model's.
        batch_size: samples a batch.
        positive: the class whose recall is reported, None for none.
        positive_name: its name, where it is another one than in `classes`.
        classes: the names of the classes, by number; empty for a regression.
        title: its title in reports; empty for its name.
        description: a description of one or two sentences.
        same_split: whether all seeds have the same split, as in time order.
        constant: returns metrics of the constant answer (the classes' shares, the mean) by name,
            ``val_...`` and ``test_...``; None to measure them with the model's loss and metrics.
        rival: returns the same metrics of a simple method that is no network, e.g. a ridge
            regression, fitted on the training part; None for no such row.
        fit_hp: arguments of `fit` to tune, see `Tuner`, e.g. ``{"batch_size": choice([16, 32])}``.
        further: the objectives after the first; set by a list as `objective`.
        averages: whether predictions of several models may be averaged, and rows be split into
            folds; False e.g. for policies: no averages in the table of models, no final round.
        folds: whether training and validation rows may be split into shuffled folds; False e.g.
            for groups, which such folds would tear apart: no final round.

    Raises:
        InvalidInput: if one of them cannot be used.
    """

    name: str
    build: Callable[[Any], Any]
    load: Callable[[int], Split]
    objective: Objective
    target: float | None = None
    batch_size: int = 32
    positive: int | None = None
    positive_name: str = ""
    classes: tuple[str, ...] = ()
    title: Text = ""
    description: Text = ""
    same_split: bool = False
    constant: Callable[[Split], dict[str, float]] | None = None
    rival: Callable[[Split], dict[str, float]] | None = None
    fit_hp: Mapping[str, Any] = field(default_factory=dict)
    further: tuple[Objective, ...] = ()
    averages: bool = True
    folds: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise InvalidInput(
                "A task's name must consist of letters, digits, '_', '-' and '.', for it names a "
                f"folder. Received: {self.name!r}. A title may be any text: title=..."
            )
        self._check_functions()
        self._set_objectives()
        object.__setattr__(self, "classes", tuple(map(str, self.classes)))
        require_integer("A task's batch_size", self.batch_size, 1)
        if self.target is not None:
            require_number("A task's target", self.target, -np.inf)
        if self.positive is not None:
            self._check_positive(require_integer("A task's positive", self.positive, 0))
        _check_text("title", self.title)
        _check_text("description", self.description)
        if not isinstance(self.fit_hp, Mapping):
            raise InvalidInput(
                f"The fit_hp of the task {self.name!r} must map arguments of fit to their search "
                f"domains. Received: {self.fit_hp!r}."
            )

    def _set_objectives(self) -> None:
        found = to_objectives(named(self.objective))
        first, *rest = found if len(found) > 1 else (*found, *self.further)
        _check_validation(first, self.name)
        to_objectives([first, *rest])  # a name twice is an error
        object.__setattr__(self, "objective", first)
        object.__setattr__(self, "further", tuple(rest))

    def _check_functions(self) -> None:
        for what in ("build", "load", "constant", "rival"):
            value = getattr(self, what)
            if value is None and what in ("constant", "rival"):
                continue
            if not callable(value):
                hint = " Pass its build method." if hasattr(value, "build") else ""
                raise InvalidInput(
                    f"The {what} of the task {self.name!r} must be a function. "
                    f"Received: {value!r}.{hint}"
                )

    def _check_positive(self, positive: int) -> None:
        if positive >= len(self.classes):
            raise InvalidInput(
                f"The positive class of the task {self.name!r} must be one of its "
                f"{len(self.classes)} classes, counted from 0. Received: {positive}."
            )
        if not self.positive_name:
            object.__setattr__(self, "positive_name", self.classes[positive])

    @classmethod
    def from_arrays(
        cls,
        build_model: Callable[[Any], Any],
        x: Any,
        y: Any,
        *,
        name: str,
        objective: str | Objective,
        classes: bool | Sequence[str] | None = None,
        groups: Any = None,
        in_time_order: bool = False,
        prepare: Callable[[Split], Split] | None = None,
        title: Text = "",
        description: Text = "",
        target: float | None = None,
        batch_size: int = 32,
        positive: int | str | None = None,
        rival: Callable[[Split], dict[str, float]] | None = None,
        fit_hp: Mapping[str, Any] | None = None,
    ) -> Task:
        """Returns a task from arrays: splits, class names and baselines are worked out.

        A fifth of the samples is the test part, a fifth of the rest validates. For classes every
        part has their shares, and labels become 0, 1, ... in sorted order.

        Args:
            build_model: ``build_model(hp)``, which returns a compiled model.
            x: samples (n, ...), or a dict or list of arrays for a model with several inputs.
            y: labels or numbers (n,), one-hot labels (n, classes), or several numbers (n, ...).
            name: see `Task`.
            objective: a metric on the validation part, e.g. ``"val_accuracy"``, or several
                objectives, see `Task`.
            classes: True for classes, their names in the labels' sorted order, or False for
                numbers; None to infer it from `y` and the objective.
            groups: (n,) group labels; a group stays in one part, e.g. a patient's samples.
            in_time_order: the rows are in time order: the last fifth tests, the fifth before
                validates, whatever the seed.
            prepare: changes each split, e.g. `kerashpo.problems.standardised`.
            title: see `Task`.
            description: see `Task`.
            target: see `Task`.
            batch_size: see `Task`.
            positive: the class whose recall is reported, by name or number.
            rival: see `Task`.
            fit_hp: see `Task`.

        Raises:
            InvalidInput: if the arrays do not fit together, or what `y` holds is unclear.
        """
        found = ArrayData.of(name, x, y, objective, classes, groups, in_time_order, prepare)
        return cls(
            name=name,
            build=build_model,
            load=found.split,
            objective=objective,  # type: ignore[arg-type]
            classes=found.classes,
            positive=found.number_of(positive),
            target=target,
            batch_size=batch_size,
            title=title,
            description=description,
            same_split=in_time_order,
            folds=groups is None,
            rival=rival,
            fit_hp={} if fit_hp is None else fit_hp,
        )

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """All objectives, the first one first."""
        return (self.objective, *self.further)

    def with_objectives(self, given: Any) -> Task:
        """Returns the task with other objectives, see `Task`; its target goes with the old ones."""
        return replace(self, objective=given, further=(), target=None)

    @property
    def metric(self) -> str:
        """The objective's metric without the part that it is measured on, e.g. ``accuracy``."""
        return self.objective.name.removeprefix("val_")

    @property
    def is_share(self) -> bool:
        """Whether the metric is a share of samples, which reports show in per cent."""
        return self.metric == "acc" or self.metric.endswith("accuracy")

    @property
    def baseline(self) -> str:
        """The baseline without a model: ``"majority"`` for classes, ``"mean"`` for numbers."""
        return "majority" if self.classes else "mean"

    def titled(self, language: str) -> str:
        """Returns the title in a language, the name where there is none."""
        return in_language(self.title, language) or self.name

    def described(self, language: str) -> str:
        """Returns the description in a language, empty where there is none."""
        return in_language(self.description, language)


def in_language(text: Text, language: str) -> str:
    """Returns a text in a language, else in English, else in any language that it has."""
    if isinstance(text, str):
        return text
    return text.get(language) or text.get("en") or next(iter(text.values()), "")


def _check_text(what: str, text: object) -> None:
    parts = list(text.values()) if isinstance(text, Mapping) else [text]
    if not all(isinstance(part, str) for part in parts):
        raise InvalidInput(
            f"A task's {what} must be a text, or texts by language such as "
            f"{{'en': ..., 'es': ...}}. Received: {text!r}."
        )


def _check_validation(objective: Objective, name: str) -> None:
    if not objective.name.startswith("val_") or objective.of is not None:
        raise InvalidInput(
            f"The first objective of the task {name!r} must be a metric on the validation part, so "
            f"that the same metric can be measured on the test part: 'val_' and a metric's name. "
            f"Received: {objective.name!r}."
        )
