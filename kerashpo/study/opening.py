"""Creates a study, or opens one and refuses what does not belong to it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kerashpo.core.errors import InvalidInput, StudyMismatch
from kerashpo.core.events import Event, StudyCreated
from kerashpo.core.history import History
from kerashpo.core.rng import checked_seed, fresh_seed
from kerashpo.store.base import Store
from kerashpo.store.lock import Lock
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

    A folder whose search was given up before its first trial is begun anew, so that an
    argument that was found wrong just then does not stand in the way of the right one.

    Raises:
        StudyMismatch: if the folder holds another search, with the differences.
        StudyBusy: if another process is searching there.
        InvalidInput: if the folder cannot be written, or the seed is no whole number.
    """
    wish = replace(wish, seed=checked_seed(wish.seed))
    if folder is None:
        return _create(wish, MemoryStore())
    if overwrite:
        remove(folder)
    log = folder / LOG_NAME
    store = SQLiteStore(log)
    try:
        events = list(store.read())
        if not events:
            return _create(wish, store)
        history = History(events)
        unused = not history.trials and any(_differences(wish, history))
        if not unused:
            check(wish, history, folder)
            return Opened(store, events, history)
    except BaseException:
        store.close()
        raise
    store.close()
    log.unlink()
    return open_or_create(wish, folder)


def _create(wish: Wish, store: Store) -> Opened:
    seed = fresh_seed() if wish.seed is None else wish.seed
    created = StudyCreated(0.0, wish.space, wish.objectives, seed, wish.settings, wish.environment)
    store.append(created)
    return Opened(store, [created], History([created]))


def check(wish: Wish, history: History, folder: Path) -> None:
    """Raises StudyMismatch, with the differences, if a study is not the one asked for."""
    lines = tuple(_differences(wish, history))
    if lines:
        listed = "\n".join(f"  - {line}" for line in lines)
        raise StudyMismatch(
            f"{str(folder)!r} holds another search than the one asked for:\n{listed}\n"
            "Ways out: pass overwrite=True to start anew (the old study is deleted), choose "
            "another project_name (or directory), or ask for the same search again.",
            lines,
        )


def remove(folder: Path) -> None:
    """Deletes a study's folder; refuses one that holds no study, or that is being searched.

    Raises:
        InvalidInput: if it holds no study.
        StudyBusy: if another process is searching there.
    """
    if not folder.exists():
        return
    if not folder.is_dir() or (any(folder.iterdir()) and not (folder / LOG_NAME).exists()):
        raise InvalidInput(
            f"{str(folder)!r} is not a study of kerashpo, so it is not overwritten. "
            "Choose another project_name or directory."
        )
    if any(folder.iterdir()):
        Lock(folder / LOG_NAME).release()
    shutil.rmtree(folder)


def _differences(wish: Wish, history: History) -> Iterator[str]:
    if tuple(wish.objectives) != tuple((o.name, o.direction) for o in history.objectives):
        old = ", ".join(f"{o.name} ({o.direction})" for o in history.objectives)
        new = ", ".join(f"{name} ({way})" for name, way in wish.objectives)
        yield f"objective: was {old}, now {new}"
    if wish.seed is not None and wish.seed != history.seed:
        yield f"seed: was {history.seed}, now {wish.seed}"
    yield from _space_differences(history.first_space, wish.space)
    # As the log would give them back: a tuple is a list there.
    new_settings = json.loads(json.dumps(wish.settings, default=str))
    old_settings = json.loads(json.dumps(history.settings, default=str))
    for key in dict.fromkeys([*old_settings, *new_settings]):
        was, now = old_settings.get(key), new_settings.get(key)
        if was != now and not (key == "data" and None in (was, now)):
            yield f"{key}: was {was!r}, now {now!r}"


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
