"""Joint training of a population: trains runs of several trials as one program, epoch by epoch.

Each member reports its own epochs, gets its own decisions and checkpoints, and leaves when it is
done, fails or is stopped; the others continue.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, final

import keras
import numpy as np

from kerashpo.core.errors import InvalidInput, require_integer
from kerashpo.executors.failures import ends_search
from kerashpo.training.data import FitData
from kerashpo.training.energy import Meter, SharedClock, UsageClock
from kerashpo.training.loops.compiled import CompiledLoop
from kerashpo.training.loops.compiled.engine import Logs, PopulationSession
from kerashpo.training.loops.compiled.programs import ProgramCache
from kerashpo.training.randomness import EpochKeys, epoch_order, seed_variables
from kerashpo.training.reporter import EpochReporter
from kerashpo.training.trial_state import TrialState
from kerashpo.training.user_callbacks import to_metrics

LARGEST = 32
"""The most places of a program: more of them gain nothing."""


def check_population(given: object, fast: object = "auto", serial: bool = True) -> None:
    """Checks the argument ``population=`` of a search.

    Args:
        given: the argument.
        fast: the argument of the same name.
        serial: whether this process trains, and no worker.

    Raises:
        InvalidInput: for another value than None, ``"auto"`` or a number of at least 2; for a
            number where trials cannot be trained as one program.
    """
    if given is None or (isinstance(given, str) and given == "auto"):
        return
    size = require_integer("population", given, 2, why='trials, or "auto" or None')
    if keras.backend.backend() != "jax":
        raise InvalidInput(
            f"population={size} trains {size} trials as one program, which needs Keras on JAX. The "
            f"backend is {keras.backend.backend()}, which trains them one by one: leave out "
            'population, or choose JAX (pip install "kerashpo[jax]", KERAS_BACKEND=jax).'
        )
    if not serial or fast is False:
        raise InvalidInput(
            f"population={size} trains {size} trials as one program in this process: workers must "
            "be 1, without trial_timeout, max_worker_memory and deterministic, and fast not False."
        )


def places(trials: int) -> int:
    """Returns how many places a program for this many trials has: a power of two, at most 32."""
    return min(LARGEST, 1 << max(0, trials - 1).bit_length())


@final
@dataclass(slots=True, eq=False)
class Member:
    """A run that is trained together with others.

    Attributes:
        state: its state; the model's variables are up to date after `refresh`.
        keys: its random streams.
        until: its last epoch.
        guard: context in which an exception fails this member alone.
        failed: returns whether it has failed.
        clock: its share of the time.
        reporter: reports its epochs; set before training.
        pull: brings the state up to date; set while it is trained.
        marked: whether the weights of its newest epoch are to be kept.
        kept: whether weights were kept that the state does not have yet.
    """

    state: TrialState
    keys: EpochKeys
    until: int
    guard: Callable[[], AbstractContextManager[None]]
    failed: Callable[[], bool]
    clock: SharedClock = field(default_factory=SharedClock)
    reporter: EpochReporter | None = None
    pull: Callable[[], None] | None = None
    marked: bool = False
    kept: bool = False

    def mark(self) -> None:
        """Has the weights of the newest epoch kept, on the device."""
        self.marked = self.kept = True

    def refresh(self) -> None:
        """Brings the state up to date: the model's variables and the weights of the best epoch."""
        if self.pull is not None:
            self.pull()

    def report(self, logs: Logs) -> bool:
        """Reports the epoch after the last one; returns whether the member continues."""
        ended = True
        with self.guard():
            assert self.reporter is not None
            ended = self.reporter.on_epoch(self.state.epoch + 1, to_metrics(logs))
        return not (ended or self.failed() or self.state.epoch >= self.until)


@final
class JointTraining:
    """Trains members of one key as one program.

    Args:
        loop: compiles the program.
        size: the number of places of a program, a power of two. It is fixed for a search, so that
            a member's values do not depend on how many members there are.
        cache: where compiled programs are kept for later searches; None for nowhere.
    """

    def __init__(self, loop: CompiledLoop, size: int, cache: ProgramCache | None = None) -> None:
        self._loop, self._size, self._cache = loop, size, cache
        #: A model's key costs as much as several epochs, and stays the same while it is trained.
        self._keys: weakref.WeakKeyDictionary[Any, tuple[FitData, Hashable | None]] = (
            weakref.WeakKeyDictionary()
        )

    @property
    def reason(self) -> str:
        """Why runs are trained this way, for the log."""
        return f"up to {self._size} models of one shape, vectorised"

    def key(self, state: TrialState, data: FitData) -> Hashable | None:
        """Returns a key of runs that can be trained together; None to train it alone."""
        if state.callbacks:
            return None
        known = self._keys.get(state.model)
        if known is None or known[0] is not data:
            known = data, self._loop.population_key(state.model, data)
            self._keys[state.model] = known
        return known[1]

    def train(
        self, members: Sequence[Member], data: FitData, meter: Meter | None = None
    ) -> Exception | None:
        """Trains each member through its last epoch, or until it leaves.

        Args:
            members: of one key; programs take `size` of them at a time.
            data: the training data of all of them.
            meter: a further meter of energy.

        Returns:
            an exception of the program itself, if it cannot run; the members' states are then
            those after the last epoch that they reported.
        """
        for start in range(0, len(members), self._size):
            error = self._train(members[start : start + self._size], data, meter)
            if error is not None:
                return error
        return None

    def _train(
        self, members: Sequence[Member], data: FitData, meter: Meter | None
    ) -> Exception | None:
        models = [member.state.model for member in members]
        clock = _Sharing(meter)
        try:
            session = self._loop.open_population(models, self._size, data, self._cache)
        except Exception as error:
            return _unless_it_ends_the_search(error)
        active = dict(enumerate(members))
        for number, member in active.items():
            member.state.model.stop_training = False
            member.pull = _Pull(session, members, number)
        orders = [np.arange(0)] * len(members)
        states = [np.zeros((0, 2), np.uint32)] * len(members)
        try:
            while active:
                for number, member in active.items():
                    orders[number], states[number] = _draws(member, data)
                try:
                    logs = _epoch(session, orders, states, active, data)
                except Exception as error:
                    return _unless_it_ends_the_search(error)
                clock.share(list(active.values()))
                ended = [n for n, member in active.items() if not member.report(logs[n])]
                _keep(session, members)
                for number in ended:
                    active.pop(number).refresh()
            return None
        finally:
            for member in active.values():
                member.refresh()
            for member in members:
                member.pull = None


@final
class _Pull:
    """Brings a member's state up to date from the session."""

    def __init__(self, session: PopulationSession, members: Sequence[Member], number: int) -> None:
        self._session, self._members, self._number = session, members, number

    def __call__(self) -> None:
        member = self._members[self._number]
        _keep(self._session, self._members)
        self._session.restore(self._number)
        if member.kept:
            member.state.take_weights(self._session.best(self._number))
            member.kept = False


@final
class _Sharing:
    """Divides the time that a program takes among its members."""

    def __init__(self, meter: Meter | None) -> None:
        self._meter = meter
        self._since, self._usage = time.perf_counter(), UsageClock(meter=meter)

    def share(self, members: Sequence[Member]) -> None:
        """Adds to each member's clock its share of the time since the last call."""
        now, usage = time.perf_counter(), self._usage.read()
        for member in members:
            member.clock.add(now - self._since, usage, len(members))
        self._since, self._usage = now, UsageClock(meter=self._meter)


def _epoch(
    session: PopulationSession,
    orders: Sequence[np.ndarray],
    states: Sequence[np.ndarray],
    active: dict[int, Member],
    data: FitData,
) -> list[Logs]:
    """Trains and validates one epoch of each member; returns the logs of `fit`."""
    validating = [n for n, member in active.items() if data.validates(member.state.epoch + 1)]
    logs, tested = session.run_epoch(orders, states, bool(validating))
    for number in validating:
        logs[number] |= {f"val_{name}": value for name, value in tested[number].items()}
    return logs


def _draws(member: Member, data: FitData) -> tuple[np.ndarray, np.ndarray]:
    """Returns the order of samples and the states of seed generators of a member's next epoch."""
    epoch, count = member.state.epoch + 1, len(seed_variables(member.state.model))
    return epoch_order(data, epoch, member.keys), member.keys.layer_states(epoch, count)


def _keep(session: PopulationSession, members: Sequence[Member]) -> None:
    """Keeps the weights of all members that are marked."""
    marked = [number for number, member in enumerate(members) if member.marked]
    if marked:
        session.keep(marked)
    for number in marked:
        members[number].marked = False


def _unless_it_ends_the_search(error: Exception) -> Exception:
    if ends_search(error):
        raise error
    return error
