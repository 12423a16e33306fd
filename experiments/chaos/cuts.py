"""Truncated and corrupted logs and checkpoints: whether a search resumes from them.

    python -m experiments.chaos.cuts --cuts 100

Of a study that was killed in the middle, the log is cut or one byte of it is changed, or a
checkpoint is cut; then the search is started again. Shown: no error but ours, every event whose
line lies before the damage is kept, and the results are those of the undisturbed search.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from experiments.chaos.killing import Patient, epochs_of, reported
from experiments.chaos.kills import undisturbed
from experiments.chaos.probe import Phase
from experiments.chaos.searches import Search
from kerashpo.core.errors import KerashpoError
from kerashpo.store.blobs import FileBlobs
from kerashpo.store.checkpoints import pack, unpack
from kerashpo.store.journal import JournalStore, repair
from kerashpo.store.open import CHECKPOINTS, LOG_NAME

KINDS = ("log cut", "log scratched", "checkpoint")


class Halved(Patient):
    """A search that is killed once, in the middle, and not started again."""

    def leave(self, epochs: int) -> Path:
        """Leaves the folder as the kill left it, after a number of trained epochs."""
        self.folder.mkdir()
        self._start()
        while self._alive() and len(epochs_of(self.folder)) < epochs:
            time.sleep(0.05)
        self._hit("search", Phase.TRAINING, 0.0)
        if not self.outcome.kills:
            raise RuntimeError("The search ended before it was killed.")
        return self.folder


@dataclass(frozen=True, slots=True)
class Case:
    """A search that was killed, and the same search without a kill."""

    search: Search
    halved: Path
    whole: Path

    @classmethod
    def make(cls, place: Path, trials: int | None, epochs: int, rng: random.Random) -> Case:
        """Runs both; bracketed searches have many checkpoints, full training a long log."""
        quick = Search("curves", epoch_seconds=0.0, trials=trials)
        slow = replace(quick, epoch_seconds=0.03)
        place.mkdir()
        halved = Halved(slow, place / "halved", rng).leave(epochs)
        return cls(quick, halved, undisturbed(quick, place, {}))


def main() -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cuts", type=int, default=100, help="of each kind")
    parser.add_argument("--trials", type=int, default=300, help="of the study with a long log")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        place, rng = Path(name), random.Random(given.seed)
        long = Case.make(place / "long", given.trials, 2 * given.trials, rng)
        wide = Case.make(place / "wide", None, 30, rng)
        for number in range(given.cuts):
            for kind in KINDS:
                case = wide if kind == "checkpoint" else long
                folder = place / f"{kind}-{number}"
                shutil.copytree(case.halved, folder)
                counts.update(f"{kind}: {came}" for came in one(kind, folder, case, rng))
                shutil.rmtree(folder)
        counts.update(f"Keras checkpoint: {came}" for came in archives(given.cuts, rng))
    for came, count in sorted(counts.items()):
        print(f"| {came} | {count} |")
    return int(any("!" in came for came in counts))


def one(kind: str, folder: Path, case: Case, rng: random.Random) -> Iterator[str]:
    """Truncates one file of a study and resumes the search; yields the outcomes."""
    yield "cut"
    log = folder / "study" / LOG_NAME
    if kind == "checkpoint":
        blobs = FileBlobs(folder / "study" / CHECKPOINTS)
        path = blobs.folder / rng.choice(blobs.stored())
        path.write_bytes(path.read_bytes()[: rng.randrange(path.stat().st_size)])
    else:
        yield from _damage_log(log, kind, rng)
    outcome = Patient(case.search, folder, rng).run()
    if outcome.errors:
        ours = "StudyCorrupt" in outcome.errors[0]
        yield "refused with what to do" if ours else f"ERROR! {outcome.errors[0]}"
        return
    yield (
        "results as undisturbed" if reported(folder) == reported(case.whole) else "results differ!"
    )


def _damage_log(log: Path, kind: str, rng: random.Random) -> Iterator[str]:
    """Truncates or corrupts a log; yields whether the events before the damage are kept."""
    store = JournalStore(log, readonly=True)
    held = list(store.read())
    store.close()
    data = bytearray(log.read_bytes())
    place = rng.randrange(len(data))
    expected = max(0, data[:place].count(b"\n") - 1)
    if kind == "log cut":
        del data[place:]
    else:
        data[place] ^= rng.randrange(1, 256)
    log.write_bytes(data)
    copy = log.parent.with_name("copy")
    copy.mkdir()
    shutil.copy(log, copy / log.name)
    try:
        kept = _kept(copy / log.name)
        if kept != held[: len(kept)]:
            yield "events changed!"
        if len(kept) < expected:
            yield "events before the damage lost!"
        yield "some events saved" if kept else "nothing before the damage"
    except KerashpoError:
        yield "events before the damage lost!" if expected else "nothing before the damage"
    except Exception:
        yield f"ERROR! {traceback.format_exc()}"
    shutil.rmtree(copy)


def _kept(log: Path) -> list[object]:
    """Returns the events of a log, repaired where it must be."""
    for attempt in (1, 2):
        try:
            store = JournalStore(log, readonly=True)
            with closing(store):
                return list(store.read())
        except KerashpoError:
            if attempt == 2:
                raise
            repair(log)
    return []


def archives(cuts: int, rng: random.Random) -> Iterator[str]:
    """Truncates or corrupts a checkpoint of real training; yields the result of reading it."""
    import numpy as np

    arrays = {f"w{n}": np.random.default_rng(n).normal(size=(64, 32)) for n in range(6)}
    whole = pack(arrays, {"epoch": 3})
    for number in range(cuts):
        place = rng.randrange(len(whole))
        scratched = whole[:place] + bytes([whole[place] ^ (1 + number % 255)]) + whole[place + 1 :]
        for kind, data in (("cut", whole[:place]), ("scratched", scratched)):
            try:
                read, _ = unpack(data)
            except ValueError:
                yield f"{kind}, refused"
                continue
            except Exception:
                yield f"{kind}, ERROR! {traceback.format_exc()}"
                continue
            same = all(np.array_equal(read[name], array) for name, array in arrays.items())
            yield f"{kind}, read whole" if same else f"{kind}, read otherwise!"


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    raise SystemExit(main())
