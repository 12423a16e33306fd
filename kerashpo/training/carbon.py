"""Energy of training as codecarbon tracks it: processor, memory and graphics cards."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any, final

from kerashpo.core.errors import InvalidInput
from kerashpo.training.energy import Meter

_MEASURED = ("intel_rapl", "intel_power_gadget")
_JOULES = 3.6e6
"""Joules in a kilowatt-hour."""


@final
class CarbonMeter(Meter):
    """Meter that reads codecarbon's offline tracker of the whole machine, and nothing online.

    The tracker starts with the first reading, which takes some seconds, and samples power in a
    thread of its own every five seconds. It stores no file. Of what it knows only the energy is
    used: CO2 follows from the intensity that was given to `kerashpo.objectives.co2`.
    """

    def __init__(self) -> None:
        self._tracker: Any = None

    def tracked(self) -> float:
        """Returns the joules of the machine since the tracker started."""
        with _quiet():
            if self._tracker is None:
                self._tracker = _started()
            # `flush` measures; the sum is read afterwards.
            self._tracker.flush()
        return float(self._tracker._total_energy.kWh) * _JOULES

    @property
    def how(self) -> str:
        """How the energy is known."""
        modes = {str(getattr(one, "_mode", "")) for one in getattr(self._tracker, "_hardware", ())}
        kind = "measured" if modes & set(_MEASURED) else "estimated"
        return f"{kind}: codecarbon {version('codecarbon')}, the whole machine"

    def close(self) -> None:
        if self._tracker is not None:
            with _quiet():
                self._tracker.stop()
            self._tracker = None


def _started() -> Any:
    from codecarbon import OfflineEmissionsTracker

    tracker = OfflineEmissionsTracker(
        country_iso_code="USA",  # required, and without effect on the energy
        measure_power_secs=5,
        tracking_mode="machine",
        save_to_file=False,
        allow_multiple_runs=True,  # a tracker for each worker
        log_level="critical",
    )
    tracker.start()
    if not hasattr(tracker, "_total_energy"):  # it suppresses its own exceptions
        raise InvalidInput(
            "codecarbon's tracker did not start here. Run codecarbon alone to see why, or use "
            "energy(source='auto')."
        )
    return tracker


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppresses codecarbon's warnings and messages, which begin before it reads its log level."""
    logger = logging.getLogger("codecarbon")
    disabled, logger.disabled = logger.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = disabled
