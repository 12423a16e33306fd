"""Extends a study: a wider space or a larger budget, what was searched before as evidence."""

from __future__ import annotations

from collections.abc import Iterator

from kerashpo.core.events import Configured, Ended, Event, Extended
from kerashpo.core.history import History
from kerashpo.core.records import Config, Scalar, Status
from kerashpo.space.space import Space
from kerashpo.store.base import Store
from kerashpo.study.differences import Difference, Wish

EXTENDED = "extended"
"""The reason of trials that an extension with other rungs does not continue."""


def extend(
    store: Store, history: History, wish: Wish, found: tuple[Difference, ...]
) -> list[Event]:
    """Writes down that a study becomes the one that is asked for; returns the events.

    The last event makes it so: a process that is killed before leaves the study as it was.

    Args:
        store: the log.
        history: its fold; it takes the events in.
        wish: what is asked for; every difference widens.
        found: the differences.
    """
    events = []
    for event in _events(history, wish, any(difference.restarts for difference in found)):
        store.append(event)
        history.apply(event)
        events.append(event)
    return events


def _events(history: History, wish: Wish, restarts: bool) -> Iterator[Event]:
    at = history.now
    space = Space.from_json({"params": _with_grown(history, wish)})
    for trial in list(history.trials.values()):
        if restarts and (trial.limbo or not trial.status.ended):
            yield Ended(at, trial.number, Status.STOPPED, EXTENDED)
        values = missing_values(space, trial.config)
        if values:
            yield Configured(at, trial.number, values)
    settings = {**wish.settings, "data": wish.settings.get("data") or history.settings.get("data")}
    yield Extended(at, space.to_json(), wish.space, settings, restarts)


def _with_grown(history: History, wish: Wish) -> list[object]:
    """Returns the parameters asked for, and those that turned up during the search."""
    known = {param["name"] for param in (*history.first_space["params"], *wish.space["params"])}
    grown = [param for param in history.space["params"] if param["name"] not in known]
    return [*wish.space["params"], *grown]


def missing_values(space: Space, config: Config) -> dict[str, Scalar]:
    """Returns the defaults of the parameters that a configuration should hold and does not."""
    whole: dict[str, Scalar] = {}
    for param in space.params:
        if param.active({**config, **whole}) and param.name not in config:
            whole[param.name] = param.domain.default
    return whole
