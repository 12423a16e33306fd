"""Objectives that are properties of a Keras model, for ``objective=[..., kt.objectives.size()]``.

=============  =======================================================
`size`         parameters, trainable or not
`memory`       bytes of the weights, and of a batch's activations
`flops`        floating-point operations of a prediction
`latency`      seconds of a prediction
`energy`       watt-hours of a trial's training so far
`co2`          grams of CO2 equivalent of a trial's training so far
=============  =======================================================

All but the last two are computed once, from the built model before it is trained. The values are
stored in the log. Their names suffice: ``objective=["val_accuracy", "size"]``,
``limits={"size": 1e6}``. To add one: a function
of a model at module level (worker processes import it), a function that returns its `Objective`,
and its name in `MEASURED`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from kerashpo.core.errors import InvalidInput, require_integer, require_number, unknown
from kerashpo.core.records import Objective
from kerashpo.core.requirements import require_package
from kerashpo.core.spread import Measurement

SOURCES = ("auto", "codecarbon")
"""How `energy` and `co2` may be known."""


def size() -> Objective:
    """Returns the number of a model's parameters as an objective to minimise, ``"size"``."""
    return Objective("size", "min", of=count_parameters, before_training=True)


def memory(batch_size: int | None = None) -> Objective:
    """Returns the bytes of a model's weights as an objective to minimise, ``"memory"``.

    With `batch_size`, the activations of that many samples besides: the outputs of all layers, as
    training keeps them for the gradients. Values of 16 bits count half of those of 32; the
    optimizer's variables and the backend's work space are not included.

    Args:
        batch_size: samples whose activations are counted; None for the weights alone.

    Raises:
        InvalidInput: for a number below 1.
    """
    if batch_size is not None:
        require_integer("batch_size", batch_size, 1)
    return Objective("memory", "min", of=MemoryBytes(batch_size), before_training=True)


@final
@dataclass(frozen=True, slots=True)
class MemoryBytes:
    """Counts the bytes of weights and activations, see `memory`.

    Attributes:
        batch_size: samples whose activations are counted; None for the weights alone.
    """

    batch_size: int | None = None

    def __call__(self, model: Any) -> float:
        weights = count_bytes(model)
        if self.batch_size is None:
            return weights
        from kerashpo.model_cost import count_activation_bytes

        return weights + count_activation_bytes(model, self.batch_size)


def flops() -> Objective:
    """Returns the floating-point operations of a prediction as an objective, ``"flops"``.

    Of one sample, as TensorFlow or JAX count them: a multiplication and an addition are two, the
    body of a loop counts once (recurrent layers are underestimated). The two backends differ by
    the operations of activations.
    """
    return Objective("flops", "min", of=count_flops, before_training=True)


def latency(batch_size: int = 1, percentile: float = 50, device: str | None = None) -> Objective:
    """Returns the seconds of a prediction as an objective to minimise, ``"latency"``.

    The prediction of a batch of zeros, compiled as `model.predict` would, repeated after a warm-up
    on the built and untrained model. The log holds the percentile and, as ``latency_spread``, the
    distance between the 25th and 75th percentiles. Workers of one study measure one at a time
    (the study's folder holds a lock); other workers go on training meanwhile, which lengthens
    times, so measure with few workers, or on a machine with free cores.

    Args:
        batch_size: samples in the batch.
        percentile: of the repeated measurements, from 0 to 100.
        device: where to predict, a name of `keras.device` such as ``"cpu:0"``; None for the
            backend's choice.

    Raises:
        InvalidInput: for a number out of range.
    """
    require_integer("batch_size", batch_size, 1)
    if not (isinstance(percentile, (int, float)) and 0 <= percentile <= 100):
        raise InvalidInput(f"percentile must be from 0 to 100. Received: {percentile!r}.")
    timing = PredictionTime(batch_size, float(percentile), device)
    return Objective("latency", "min", of=timing, before_training=True)


@final
@dataclass(frozen=True, slots=True)
class PredictionTime:
    """Measures the seconds of a prediction, see `latency`.

    Attributes:
        batch_size: samples in the batch.
        percentile: of the repeated measurements.
        device: where to predict.
        exclusive: whether workers measure one at a time.
    """

    batch_size: int
    percentile: float
    device: str | None
    exclusive: bool = True

    def __call__(self, model: Any) -> Measurement:
        from kerashpo.model_cost import time_predictions

        seconds = time_predictions(model, self.batch_size, self.device)
        low, high = np.percentile(seconds, (25, 75))
        return Measurement(float(np.percentile(seconds, self.percentile)), float(high - low))


def energy(watts: float = 10.0, source: str = "auto") -> Objective:
    """Returns the watt-hours of a trial's training as an objective to minimise, ``"energy"``.

    Measured by the processor's counters (RAPL) where they can be read: those of the whole machine,
    so that several workers count each other's too. Estimated elsewhere: the CPU seconds of the
    process times `watts`; accelerators are not included. The fact ``energy_source`` of each trial
    says which it is.

    Args:
        watts: of a busy processor core, for the estimate.
        source: ``"auto"`` for the above; ``"codecarbon"`` for that package's offline tracker
            (extra ``[energy]``): processor, memory and graphics cards of the whole machine,
            measured or estimated.

    Raises:
        InvalidInput: for a number that is not positive, or another source.
        MissingExtra: if codecarbon is not installed.
    """
    require_number("watts", watts, 0.0, strict=True)
    return Objective("energy", "min", of=TrainingEnergy(float(watts), 1.0, _tracker(source)))


def co2(grams_per_kwh: float = 475.0, watts: float = 10.0, source: str = "auto") -> Objective:
    """Returns the grams of CO2 equivalent of a trial's training as an objective, ``"co2"``.

    Args:
        grams_per_kwh: the carbon intensity of the electricity; the default is the world's mean of
            2018 (International Energy Agency, Global Energy & CO2 Status Report 2019).
        watts, source: see `energy`.

    Raises:
        InvalidInput: for a number that is not positive, or another source.
        MissingExtra: if codecarbon is not installed.
    """
    require_number("watts", watts, 0.0, strict=True)
    require_number("grams_per_kwh", grams_per_kwh, 0.0, strict=True)
    factor = float(grams_per_kwh) / 1000.0
    return Objective("co2", "min", of=TrainingEnergy(float(watts), factor, _tracker(source)))


def _tracker(source: str) -> str:
    if source not in SOURCES:
        raise unknown("source of energy", source, SOURCES)
    if source == "codecarbon":
        require_package("codecarbon", "energy(source='codecarbon')", extra="energy")
    return "" if source == "auto" else source


@final
@dataclass(frozen=True, slots=True)
class TrainingEnergy:
    """Converts what a trial has used to watt-hours, or to grams of CO2 equivalent.

    Attributes:
        watts: of a busy core.
        factor: of the watt-hours.
        tracker: the package whose meter is read; empty for none.
        of_trial: whether it is a function of the trial's usage instead of its model.
    """

    watts: float
    factor: float = 1.0
    tracker: str = ""
    of_trial: bool = True

    def __call__(self, usage: Any) -> float:
        if self.tracker and usage.tracked is not None:
            return float(self.factor * usage.tracked / 3600.0)
        joules = usage.cpu_seconds * self.watts if usage.joules is None else usage.joules
        return float(self.factor * joules / 3600.0)

    def source(self, usage: Any) -> str:
        """Returns how the energy is known."""
        if self.tracker and usage.how:
            return str(usage.how)
        if usage.joules is None:
            return f"estimated: CPU seconds x {self.watts:g} W"
        return "measured: RAPL, processor packages of the whole machine"


def count_flops(model: Any) -> float:
    """Returns the floating-point operations of a built model's prediction of one sample."""
    from kerashpo.model_cost import count_operations

    return count_operations(model)


def count_parameters(model: Any) -> float:
    """Returns the number of a built Keras model's parameters."""
    return float(model.count_params())


def count_bytes(model: Any) -> float:
    """Returns how many bytes a built Keras model's weights take."""
    from kerashpo.model_cost import tensor_bytes

    return float(sum(tensor_bytes(one.shape, one.dtype) for one in model.weights))


MEASURED: Mapping[str, Callable[[], Objective]] = {
    "size": size,
    "memory": memory,
    "flops": flops,
    "latency": latency,
    "energy": energy,
    "co2": co2,
}
"""The objectives by name, as ``objective=`` and ``limits=`` take them."""


def named(given: Any) -> Any:
    """Returns an argument ``objective=`` with the names of `MEASURED` replaced by objectives.

    Args:
        given: a name, an `Objective`, or several; everything else is returned as it is.
    """
    if isinstance(given, str):
        return MEASURED[given]() if given in MEASURED else given
    if isinstance(given, Sequence):
        return [named(one) for one in given]
    return given
