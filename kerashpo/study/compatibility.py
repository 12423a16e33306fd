"""Compares the requested search with the study in a folder, and extends a study."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kerashpo.core.events import Configured, Ended, Event, Extended, SpaceGrown, StudyCreated
from kerashpo.core.history import LAYERS, MODEL, History
from kerashpo.core.records import Config, Scalar, Status
from kerashpo.schedulers.registry import scheduler_of
from kerashpo.space.space import Space
from kerashpo.store.base import Store

GROWING = ("epochs", "max_epochs", "iterations")
"""Settings that an extension may raise."""


@dataclass(frozen=True, slots=True)
class StudySpec:
    """The settings of a requested search, compared with those of the study in a folder.

    Attributes:
        space: as JSON.
        objectives: pairs of metric and direction.
        seed: None accepts the stored one, and draws one for a new study.
        settings: algorithm, scheduler, data fingerprint.
        environment: versions, for provenance; never compared.
    """

    space: Mapping[str, Any]
    objectives: tuple[tuple[str, str], ...]
    seed: int | None
    settings: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between the requested search and the study.

    Attributes:
        line: the old and the new value.
        widens: whether every configuration that was searched is valid in the requested search.
        restarts: whether the rungs differ, so that the scheduler starts over.
    """

    line: str
    widens: bool = False
    restarts: bool = False


def header_of(events: Iterable[Event]) -> History:
    """Returns the fold of the events about the study as a whole, without its trials."""
    return History(e for e in events if isinstance(e, (StudyCreated, SpaceGrown, Extended)))


def is_same(spec: StudySpec, events: Iterable[Event]) -> bool:
    """Whether a log is that of the requested search."""
    return next(differences(spec, header_of(events)), None) is None


def differences(spec: StudySpec, history: History) -> Iterator[Difference]:
    """Yields the differences: objective, seed, parameters, settings."""
    if tuple(spec.objectives) != tuple((o.name, o.direction) for o in history.objectives):
        old = ", ".join(f"{o.name} ({o.direction})" for o in history.objectives)
        new = ", ".join(f"{name} ({direction})" for name, direction in spec.objectives)
        yield Difference(f"objective: was {old}, now {new}")
    if spec.seed is not None and spec.seed != history.seed:
        yield Difference(f"seed: was {history.seed}, now {spec.seed}")
    spaces = list(_of_spaces(history.first_space, spec.space))
    yield from spaces
    # As the log returns them: a tuple becomes a list.
    old, new = (
        json.loads(json.dumps(dict(settings), default=str))
        for settings in (history.settings, spec.settings)
    )
    yield from _of_settings(old, new)
    if not spaces:  # else the default model may be another one because of other defaults
        yield from _of_models(old.get(MODEL), new.get(MODEL))


def _of_settings(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for key in dict.fromkeys([*old, *new]):
        was, now = old.get(key), new.get(key)
        if was == now or key == MODEL or (key == "data" and None in (was, now)):
            continue
        if key == "algorithm" and now == "auto":
            continue  # the stored algorithm goes on, see `algorithms.automatic_choice.chosen_of`
        if key == "data":
            yield Difference(_OTHER_DATA)
            continue
        if key in _NESTED:
            yield from _of_settings(was or {}, now or {})
            continue
        grows = key in GROWING and isinstance(was, int) and isinstance(now, int) and now > was
        restarts = grows and not _keeps_rungs(old, new)
        yield Difference(f"{key}: was {was!r}, now {now!r}", grows, restarts)


_NESTED = ("compile", "fit", "measures", "options")
"""Settings that contain further ones, each of which is compared separately."""
_OTHER_DATA = (
    "data: the arrays are other ones than those of the earlier search. A random split without a "
    "seed (random_state=...) gives other ones each time"
)


def _of_models(
    old: Mapping[str, Any] | None, new: Mapping[str, Any] | None
) -> Iterator[Difference]:
    """Compares the layers and the arguments of `compile`; None if they are not known."""
    if old is None or new is None:
        return
    yield from _of_layers(old.get(LAYERS), new.get(LAYERS))
    # Others are replaced by the tuner's own arguments, or those of another version of Keras.
    for key in [name for name in old if name in new and name != LAYERS]:
        was, now = old[key], new[key]
        if not (isinstance(was, Mapping) and isinstance(now, Mapping)):
            if was != now:
                yield Difference(f"{key} in build_model: was {was!r}, now {now!r}")
            continue
        changed = [name for name in was if name in now and was[name] != now[name]]
        if was.get("class") != now.get("class"):
            changed = ["class"]
        for name in changed:
            line = f"{name} was {was[name]!r}, now {now[name]!r}"
            yield Difference(f"{key} in build_model: {line}")


def _of_layers(
    old: Mapping[str, Any] | None, new: Mapping[str, Any] | None
) -> Iterator[Difference]:
    """Compares the structures of models; those of another version of Keras cannot be compared."""
    if old is None or new is None or old["keras"] != new["keras"]:
        return
    was, now = ([layer["class"] for layer in one["default"]] for one in (old, new))
    if was != now:
        yield Difference(f"layers in build_model: were {_listed(was)}, now {_listed(now)}")
        return
    same = True
    for number, (before, after) in enumerate(zip(old["default"], new["default"], strict=True)):
        for name in [name for name in before if before[name] != after.get(name)]:
            same = False
            place = f"layer {number} in build_model, {before['class']}"
            values = f"{name} was {before[name]!r}, now {after.get(name)!r}"
            yield Difference(f"{place}: {'other arguments' if name == 'rest' else values}")
    if same and old["others"] != new["others"]:
        yield Difference(
            "layers in build_model: the same for the default values, others for other values of "
            "its parameters"
        )


def _listed(names: list[str]) -> str:
    shown = names if len(names) <= 12 else [*names[:12], f"... ({len(names)} in all)"]
    return ", ".join(shown)


def _keeps_rungs(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether the scheduler of the new settings can continue on the old one's rungs."""
    same = old.get("scheduler") == new.get("scheduler")
    return same and scheduler_of(new).extends(scheduler_of(old))


def _of_spaces(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    before = {(p["name"], str(p.get("when"))): p for p in old["params"]}
    after = {(p["name"], str(p.get("when"))): p for p in new["params"]}
    names = {name for name, _ in before}
    for key in dict.fromkeys([*before, *after]):
        was, now = before.get(key), after.get(key)
        if was == now:
            continue
        if was is None:
            yield Difference(f"parameter {key[0]!r}: is new", widens=key[0] not in names)
        elif now is None:
            yield Difference(f"parameter {key[0]!r}: is gone")
        else:
            line = f"parameter {key[0]!r}: was {_short(was)}, now {_short(now)}"
            yield Difference(line, is_wider(was, now))


def is_wider(was: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether every value of one definition is a value of another, written in the same form."""
    if was["kind"] != now["kind"]:
        return False
    match was["kind"]:
        case "float" | "int":
            return _is_wider_range(was, now)
        case "choice":
            return _has_all_choices(was, now)
    return bool(was["kind"] == "bool")


def _is_wider_range(was: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    if any(was.get(name) != now.get(name) for name in ("scale", "step")):
        return False
    if now["low"] > was["low"] or now["high"] < was["high"]:
        return False
    if was.get("step") is None:
        return True
    log = was.get("scale", "linear") != "linear"
    apart = math.log(was["low"] / now["low"]) if log else was["low"] - now["low"]
    steps = apart / (math.log(was["step"]) if log else was["step"])
    return math.isclose(steps, round(steps), abs_tol=1e-9)


def _has_all_choices(was: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    if any(was.get(name) != now.get(name) for name in ("ordered", "by_index")):
        return False
    if was.get("by_index"):  # A configuration holds their indices.
        return list(now["values"][: len(was["values"])]) == list(was["values"])
    return all(value in now["values"] for value in was["values"])


def _short(param: Mapping[str, Any]) -> str:
    return ", ".join(f"{k}={v}" for k, v in param.items() if k != "name")


EXTENDED = "extended"
"""The reason of trials that an extension with other rungs does not continue."""


def extend(
    store: Store, history: History, spec: StudySpec, found: tuple[Difference, ...]
) -> list[Event]:
    """Records that a study becomes the requested one; returns the events.

    The last event takes effect: if the process is killed before it, the study is unchanged.

    Args:
        store: the log.
        history: the fold of the log; the events are applied to it.
        spec: the requested search; every difference widens.
        found: the differences.
    """
    events = []
    for event in _events(history, spec, any(difference.restarts for difference in found)):
        store.append(event)
        history.apply(event)
        events.append(event)
    return events


def _events(history: History, spec: StudySpec, restarts: bool) -> Iterator[Event]:
    at = history.now
    space = Space.from_json({"params": _with_grown(history, spec)})
    for trial in list(history.trials.values()):
        if restarts and (trial.stopped_by_budget or not trial.status.ended):
            yield Ended(trial.number, Status.STOPPED, EXTENDED, at=at)
        values = missing_values(space, trial.config)
        if values:
            yield Configured(trial.number, values, at=at)
    settings = {**spec.settings, "data": spec.settings.get("data") or history.settings.get("data")}
    yield Extended(space.to_json(), spec.space, settings, restarts, at=at)


def _with_grown(history: History, spec: StudySpec) -> list[object]:
    """Returns the declared parameters, and those that appeared during the search."""
    known = {param["name"] for param in (*history.first_space["params"], *spec.space["params"])}
    grown = [param for param in history.space["params"] if param["name"] not in known]
    return [*spec.space["params"], *grown]


def missing_values(space: Space, config: Config) -> dict[str, Scalar]:
    """Returns the defaults of the parameters that a configuration lacks."""
    whole: dict[str, Scalar] = {}
    for param in space.params:
        if param.active({**config, **whole}) and param.name not in config:
            whole[param.name] = param.domain.default
    return whole
