"""MovieLens 100K: which rating does a person give a film? Factorisation with biases and features.

Data: F. M. Harper and J. A. Konstan, "The MovieLens Datasets", ACM TiiS 5 (2015), as the package
recbole has them: 100,000 ratings of 1,682 films by 943 people. Its licence forbids passing the data
on, so they are read where recbole was installed. A seed splits the ratings at random: a tenth
tests, a tenth validates.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from kerashpo.core.records import Objective
from kerashpo.problems.packaged import data_file
from kerashpo.problems.splits import Array, Split, parts_of
from kerashpo.problems.task import Task

SHARE = 0.1
"""The share of ratings in the validation part, and in the test part."""
PEOPLE, FILMS, JOBS, GENRES = 944, 1683, 21, 19
AGES, YEARS = 8, 12
"""Groups of ages by tens, and of years: before 1930, by tens until 1990, then each year."""
COLUMNS = (PEOPLE, FILMS, AGES, 2, JOBS, YEARS)
"""How many values each column of the ``ids`` has: person, film, age, gender, work, year."""
_OF_PERSON, _OF_FILM = (0, 2, 3, 4), (1, 5)


def movielens() -> Task:
    """Returns the task: the root mean squared error of ratings.

    Raises:
        MissingExtra: if the package recbole is not installed.
    """
    from kerashpo.space import choice

    folder = "recbole/dataset_example/ml-100k"
    ratings, people, films = (
        data_file("movielens", "recbole", f"{folder}/ml-100k.{part}")
        for part in ("inter", "user", "item")
    )
    return Task(
        name="movielens",
        build=build_model,
        load=partial(load, ratings, people, films),
        objective=Objective("val_rmse", "min"),
        target=0.92,
        batch_size=512,
        fit_hp={"batch_size": choice([256, 512, 1024], default=512)},
        title={"en": "MovieLens", "es": "Películas de MovieLens"},
        description={
            "en": "100,000 ratings of films by 943 people, read from the package recbole: how many "
            "stars does a person give a film? Factorisation with biases and features of people "
            "and films; the root mean squared error decides. The simple rival adds a damped bias "
            "of the person and one of the film to the mean.",
            "es": "100 000 notas de películas de 943 personas, del paquete recbole: ¿cuántas "
            "estrellas da una persona a una película? Factorización con sesgos y atributos de "
            "personas y películas; decide la raíz del error cuadrático medio. El rival sencillo "
            "suma a la media un sesgo amortiguado de la persona y otro de la película.",
        },
        constant=mean_rating,
        rival=biases,
    )


def build_model(hp: Any) -> Any:
    """Returns a compiled factorisation machine of people and films, with a small network if wanted.

    A rating is a mean, a bias of each column, the product of the factors of person and film, in
    which the factors of their features are added, and perhaps the output of a dense layer on both.
    Its defaults: 16 factors, penalty 1e-6, no dense layer, Adam at 3e-3.

    Args:
        hp: a `HyperParameters`.
    """
    import keras
    from keras import layers, ops, regularizers

    size = hp.Int("factors", 4, 64, step=4, default=16)
    penalty = regularizers.L2(hp.Float("penalty", 1e-7, 1e-3, sampling="log", default=1e-5))
    slack = regularizers.L2(hp.Float("bias_penalty", 1e-8, 1e-4, sampling="log", default=1e-6))
    ids = keras.Input((len(COLUMNS),), dtype="int32", name="ids")
    genres = keras.Input((GENRES,), name="genres")
    start = keras.initializers.RandomNormal(stddev=0.05)
    factors, offsets = [], []
    for place, count in enumerate(COLUMNS):
        column = ids[:, place]
        factors.append(layers.Embedding(count, size, start, embeddings_regularizer=penalty)(column))
        offsets.append(layers.Embedding(count, 1, "zeros", embeddings_regularizer=slack)(column))
    person = layers.Add()([factors[place] for place in _OF_PERSON])
    genre = layers.Dense(size, use_bias=False, kernel_regularizer=penalty)(genres)
    film = layers.Add()([*(factors[place] for place in _OF_FILM), genre])
    drop = hp.Float("dropout", 0.0, 0.5, step=0.1, default=0.1)
    person, film = layers.Dropout(drop)(person), layers.Dropout(drop)(film)
    terms = [*offsets, ops.sum(person * film, axis=1, keepdims=True)]
    # The bias begins at a middling rating, so that no epoch goes into finding it.
    terms.append(layers.Dense(1, bias_initializer=keras.initializers.Constant(3.5))(genres))
    if hidden := hp.Int("hidden", 0, 64, step=16, default=0):
        both = layers.Concatenate()([person, film])
        terms.append(layers.Dense(1)(layers.Dense(hidden, activation="relu")(both)))
    model = keras.Model({"ids": ids, "genres": genres}, layers.Add()(terms))
    rate = hp.Float("learning_rate", 3e-4, 3e-2, sampling="log", default=3e-3)
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss="mean_squared_error",
        metrics=[keras.metrics.RootMeanSquaredError(name="rmse")],
    )
    return model


def load(ratings: Path, people: Path, films: Path, seed: int) -> Split:
    """Returns a seed's split: x has ``ids`` (n, 6) and ``genres`` (n, 19), y the stars (n, 1).

    Args:
        ratings: person, film, rating and time.
        people: person, age, gender, work and postcode.
        films: film, title, year and genres.
        seed: another seed, another split.
    """
    person, film, stars = _ratings(ratings)
    of_people, (years, genres) = _people(people), _films(films)
    ids = np.stack([person, film, *of_people[person].T, years[film]], axis=1).astype("int32")
    order = np.random.default_rng(seed).permutation(len(stars))
    tenth = round(SHARE * len(order))
    test, validation, train = np.split(order, [tenth, 2 * tenth])
    x = {"ids": ids, "genres": genres[film]}
    return parts_of(x, stars.reshape(-1, 1), (train, validation, test))


def _ratings(file: Path) -> tuple[Array, Array, Array]:
    table = np.loadtxt(file, skiprows=1, usecols=(0, 1, 2), delimiter="\t")
    return table[:, 0].astype(int), table[:, 1].astype(int), table[:, 2].astype("float32")


def _people(file: Path) -> Array:
    """Returns age group, gender and work (people, 3), by number."""
    rows = [line.split("\t") for line in file.read_text("utf-8").splitlines()[1:]]
    jobs = {job: number for number, job in enumerate(sorted({row[3] for row in rows}))}
    found = np.zeros((PEOPLE, 3), int)
    for number, age, gender, job, _ in rows:
        found[int(number)] = min(int(age) // 10, AGES - 1), gender == "F", jobs[job]
    return found


def _films(file: Path) -> tuple[Array, Array]:
    """Returns the group of years (films,) and the genres (films, 19) as zeros and ones."""
    rows = [line.split("\t") for line in file.read_text("utf-8").splitlines()[1:]]
    known = sorted({name for row in rows for name in row[3].split()})
    names = {name: place for place, name in enumerate(known)}
    years, genres = np.zeros(FILMS, int), np.zeros((FILMS, GENRES), "float32")
    for number, _, year, kinds in rows:
        years[int(number)] = year_group(int(year)) if year.isdigit() else 0
        genres[int(number), [names[kind] for kind in kinds.split()]] = 1.0
    return years, genres


def year_group(year: int) -> int:
    """Returns the group of a year: 0 before 1930, then ten years each, a year each from 1994."""
    if year < 1990:
        return max(0, (year - 1920) // 10)
    return 7 if year < 1994 else min(year - 1986, YEARS - 1)


def mean_rating(split: Split) -> dict[str, float]:
    """Returns the errors of always predicting the training part's mean."""
    mean = float(split.train[1].mean())
    return _errors(split, lambda ids: np.full(len(ids), mean))


def biases(split: Split) -> dict[str, float]:
    """Returns the errors of mean + bias of the film + bias of the person.

    Each bias is the mean of what is left over, damped by a number of ratings that the validation
    part chooses (Y. Koren, "Factorization meets the neighborhood", KDD 2008, section 2.1).
    """
    ids, stars = split.train[0]["ids"], split.train[1].ravel()
    mean = float(stars.mean())

    def damped(column: int, left: Array, damping: float) -> Array:
        sums = np.bincount(ids[:, column], left, COLUMNS[column])
        found: Array = sums / (np.bincount(ids[:, column], minlength=COLUMNS[column]) + damping)
        return found

    def errors(damping: float) -> dict[str, float]:
        film, person = np.zeros(FILMS), np.zeros(PEOPLE)
        for _ in range(5):
            film = damped(1, stars - mean - person[ids[:, 0]], damping)
            person = damped(0, stars - mean - film[ids[:, 1]], damping)
        return _errors(split, lambda rows: mean + person[rows[:, 0]] + film[rows[:, 1]])

    return min(map(errors, (2.0, 5.0, 10.0)), key=lambda found: found["val_rmse"])


def _errors(split: Split, predict: Any) -> dict[str, float]:
    found: dict[str, float] = {}
    for name, (x, y) in (("val", split.validation), ("test", split.test)):
        error = float(np.mean((predict(x["ids"]) - y.ravel()) ** 2))
        found |= {f"{name}_rmse": error**0.5, f"{name}_loss": error}
    return found
