"""S&P 500: tomorrow's volatility from the days before, by linear and recurrent models.

Data: the daily prices of the S&P 500, 1999-2018, in the package arch (K. Sheppard, NCSA licence).
The target is log(\\|r\\| + 0.1) of the day's return r in per cent: the 0.1 keeps days without a
change finite. Three series are known before it, each for `DAYS` days: the target's own past, the
log of the day's range, and the return. Rows are in time order: the last fifth (2015-2018) tests,
the fifth before validates, so every seed has the same split.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from kerashpo.core.records import Objective
from kerashpo.problems.baselines import mean_error, ridge_error
from kerashpo.problems.packaged import data_file
from kerashpo.problems.splits import Array, Split, split_in_time_order
from kerashpo.problems.task import Task

DAYS = 66
"""Days before the target's day in a sample, three months of trading."""
SERIES = 3
FLOOR = 0.1
"""Per cent, added to absolute returns before the logarithm."""
BATCH = 64


def sp500() -> Task:
    """Returns the task: squared error of log absolute returns.

    Raises:
        MissingExtra: if the package arch is not installed.
    """
    file = data_file("sp500", "arch", "arch/data/sp500/sp500.csv.gz")
    return Task(
        name="sp500",
        build=build_model,
        load=lambda seed: load(file),
        objective=Objective("val_mse", "min"),
        target=0.57,
        batch_size=BATCH,
        title={"en": "S&P 500", "es": "S&P 500"},
        description={
            "en": "The S&P 500 from 1999 to 2018, read from the package arch: how much will it "
            "move tomorrow? A linear model, a GRU, or both; the squared error of the log absolute "
            "return decides. The simple rival is a ridge regression on all days.",
            "es": "El S&P 500 de 1999 a 2018, del paquete arch: ¿cuánto se moverá mañana? Un "
            "modelo lineal, una GRU o ambos; decide el error cuadrático del logaritmo del "
            "rendimiento absoluto. El rival sencillo es una regresión ridge sobre todos los días.",
        },
        same_split=True,
        constant=mean_error,
        rival=ridge_error,
    )


def build_model(hp: Any) -> Any:
    """Returns a compiled forecaster of windows (66, 3): linear, a GRU, or their sum.

    Its defaults: a GRU of 32 units on 22 days, no dropout, weights hardly penalised, Adam at its
    own rate of 1e-3, kept constant.

    Args:
        hp: a `HyperParameters`.
    """
    import keras
    from keras import layers

    window = hp.Choice("window", [5, 11, 22, 44, DAYS], default=22)
    kind = hp.Choice("kind", ["gru", "linear", "both"])
    penalty = keras.regularizers.L2(hp.Float("l2", 1e-6, 1e-1, sampling="log", default=1e-5))
    days = keras.Input((DAYS, SERIES))
    recent = layers.Cropping1D((DAYS - window, 0))(days)
    answers = []
    if kind != "gru":
        flat = layers.Flatten()(recent)
        answers.append(layers.Dense(1, kernel_regularizer=penalty)(flat))
    if kind != "linear":
        units = hp.Int("units", 8, 64, step=8, default=32)
        state = layers.GRU(units, kernel_regularizer=penalty)(recent)
        state = layers.Dropout(hp.Float("dropout", 0.0, 0.5, step=0.1, default=0.0))(state)
        answers.append(layers.Dense(1, kernel_regularizer=penalty)(state))
    model = keras.Model(days, layers.Add()(answers) if len(answers) > 1 else answers[0])
    rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log", default=1e-3)
    decay = hp.Float("decay", 0.5, 1.0, default=1.0)
    steps = 50  # of 3,177 training rows in batches of 64: an epoch
    schedule = keras.optimizers.schedules.ExponentialDecay(rate, steps, decay)
    model.compile(
        optimizer=keras.optimizers.Adam(schedule),
        loss="mean_squared_error",
        metrics=[keras.metrics.MeanSquaredError(name="mse")],
    )
    return model


def load(file: Path) -> Split:
    """Returns the split; each series has mean 0 and variance 1 on the training part.

    Args:
        file: the daily prices, with columns High, Low and Adj Close.
    """
    x, y = windows(*_series(file))
    split = split_in_time_order(x, y)
    train = split.train[0]
    mean, spread = train.mean(axis=(0, 1)), train.std(axis=(0, 1))
    parts = (split.train, split.validation, split.test)
    return Split(*(((x - mean) / spread, y) for x, y in parts))


def windows(series: Array, target: Array) -> tuple[Array, Array]:
    """Returns samples (n, DAYS, series) of the days before, and the targets (n, 1) after them.

    Args:
        series: (days, series), known at the end of each day.
        target: (days,).
    """
    past = np.lib.stride_tricks.sliding_window_view(series[:-1], DAYS, axis=0)
    x = np.ascontiguousarray(past.transpose(0, 2, 1), dtype="float32")
    return x, target[DAYS:].reshape(-1, 1).astype("float32")


def _series(file: Path) -> tuple[Array, Array]:
    import pandas as pd

    prices = pd.read_csv(file)
    returns = 100 * np.diff(np.log(prices["Adj Close"].to_numpy()))
    spread = 100 * np.log(prices["High"].to_numpy() / prices["Low"].to_numpy())[1:]
    target = np.log(np.abs(returns) + FLOOR)
    return np.stack([target, np.log(spread + FLOOR), returns], axis=1), target
