"""Creates a study, or opens one and refuses what does not belong to it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kerashpo.core.errors import InvalidInput, StudyMismatch
from kerashpo.core.events import Event, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.rng import fresh_seed
from kerashpo.store.base import Store
from kerashpo.store.memory import MemoryStore
from kerashpo.store.sqlite import SQLiteStore

LOG_NAME = "study.sqlite"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a search asks for; compared with what a folder holds.

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
class Opened:
    """An open study: its log, what the log held, and the fold of it."""

    store: Store
    events: list[Event]
    history: History


def open_or_create(wish: Wish, folder: Path | None, overwrite: bool = False) -> Opened:
    """Returns the study in a folder, a new one where there is none; None means in memory.

    Raises:
        StudyMismatch: if the folder holds another search, with the differences.
        InvalidInput: if the folder cannot be written.
    """
    if folder is not None and overwrite:
        remove(folder)
    store: Store = MemoryStore() if folder is None else SQLiteStore(folder / LOG_NAME)
    try:
        events = list(store.read())
        if not events:
            seed = fresh_seed() if wish.seed is None else wish.seed
            created = StudyCreated(
                0.0, wish.space, wish.objectives, seed, wish.settings, wish.environment
            )
            store.append(created)
            events = [created]
        history = History(events)
        if folder is not None:
            check(wish, history, folder)
    except BaseException:
        store.close()
        raise
    return Opened(store, events, history)


def check(wish: Wish, history: History, folder: Path) -> None:
    """Raises StudyMismatch, with the differences, if a study is not the one asked for."""
    wished = replace(wish, seed=history.seed if wish.seed is None else wish.seed)
    lines = tuple(_differences(wished, history))
    if lines:
        listed = "\n".join(f"  - {line}" for line in lines)
        raise StudyMismatch(
            f"{str(folder)!r} holds another search than the one asked for:\n{listed}\n"
            "Ways out: pass overwrite=True to start anew (the old study is deleted), choose "
            "another project_name (or directory), or ask for the same search again.",
            lines,
        )


def remove(folder: Path) -> None:
    """Deletes a study's folder; refuses one that holds no study."""
    if not folder.exists():
        return
    if not folder.is_dir() or (any(folder.iterdir()) and not (folder / LOG_NAME).exists()):
        raise InvalidInput(
            f"{str(folder)!r} is not a study of kerashpo, so it is not overwritten. "
            "Choose another project_name or directory."
        )
    shutil.rmtree(folder)


def _differences(wish: Wish, history: History) -> Iterator[str]:
    if tuple(wish.objectives) != tuple((o.name, o.direction) for o in history.objectives):
        old = ", ".join(f"{o.name} ({o.direction})" for o in history.objectives)
        new = ", ".join(f"{name} ({way})" for name, way in wish.objectives)
        yield f"objective: was {old}, now {new}"
    if wish.seed != history.seed:
        yield f"seed: was {history.seed}, now {wish.seed}"
    yield from _space_differences(history.first_space, wish.space)
    old_settings, new_settings = history.settings, wish.settings
    for key in dict.fromkeys([*old_settings, *new_settings]):
        old, new = old_settings.get(key), new_settings.get(key)
        if old != new and not (key == "data" and None in (old, new)):
            yield f"{key}: was {old!r}, now {new!r}"


def _space_differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    before = {(p["name"], str(p.get("when"))): p for p in old["params"]}
    after = {(p["name"], str(p.get("when"))): p for p in new["params"]}
    for key in dict.fromkeys([*before, *after]):
        was, now = before.get(key), after.get(key)
        if was == now:
            continue
        if was is None:
            yield f"parameter {key[0]!r}: is new"
        elif now is None:
            yield f"parameter {key[0]!r}: is gone"
        else:
            yield f"parameter {key[0]!r}: was {_short(was)}, now {_short(now)}"


def _short(param: Mapping[str, Any]) -> str:
    return ", ".join(f"{k}={v}" for k, v in param.items() if k != "name")
