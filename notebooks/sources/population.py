# %% [markdown] lang="es"
# # Entrenamiento basado en poblaciones: valores que cambian
#
# Las demás búsquedas eligen valores que valen de la primera época a la última. El entrenamiento basado en poblaciones (PBT,
# Jaderberg et al., 2017) los **cambia mientras se entrena**, y así encuentra un *calendario*: una tasa de aprendizaje que
# baja, por ejemplo. Casi todo este cuaderno usa un modelo que se calcula en milisegundos y un reloj virtual; al final se
# entrena una red de verdad.

# %% [markdown] lang="en"
# # Population-based training: values that change
#
# Other searches choose values that hold from the first epoch to the last. Population-based training (PBT, Jaderberg et
# al., 2017) **changes them during training**, and so finds a *schedule*: a learning rate that falls, for example. Almost
# all of this notebook uses a model that is computed in milliseconds, and a virtual clock; at the end a real network is
# trained.

# %% tags=["parameters"]
FAST = False
SEED = 0
EPOCHS = 50

# %% lang="es"
import os

os.environ["KERASHPO_LANG"] = "es"

# %% lang="en"
import os

os.environ["KERASHPO_LANG"] = "en"

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import kerashpo as kt

SEEDS = range(3 if FAST else 20)

# %% [markdown] lang="es"
# ## Por qué un calendario
#
# El *modelo cuadrático con ruido* (Zhang et al., 2019) se comporta como el descenso por gradiente con lotes: una tasa alta
# avanza deprisa y se queda en un nivel alto, porque el ruido la zarandea; una tasa baja llegaría más abajo, pero no llega.
# Un problema propio es cualquier objeto con `space`, `direction`, `max_epochs` y, si las épocas dependen de las anteriores,
# `advance(state, config)`: una época a partir de un estado, que devuelve el nuevo estado, el valor y los segundos.

# %% [markdown] lang="en"
# ## Why a schedule
#
# The *noisy quadratic model* (Zhang et al., 2019) behaves like gradient descent with batches: a high rate moves fast and
# stays at a high level, because noise shakes it; a low rate would get further down, but does not arrive. A problem of your
# own is any object with `space`, `direction`, `max_epochs` and, if epochs depend on those before, `advance(state, config)`:
# one epoch from a state, which returns the new state, the value and the seconds.


# %%
class NoisyQuadratic:
    space = kt.Space({"rate": kt.space.loguniform(1e-3, 1.9)})
    direction = "min"
    max_epochs = EPOCHS
    curvatures = 1 / np.arange(1, 101)

    def __init__(self, seed):
        self.seed = seed

    def advance(self, state, config):
        epoch, theta = state or (0, np.ones(100))
        rate = config["rate"]
        rng = np.random.default_rng([self.seed, epoch, int(rate * 1e9)])
        for noise in rng.normal(size=(5, 100)):
            gradient = self.curvatures * theta + np.sqrt(0.055 * self.curvatures) * noise
            theta = theta - rate * gradient
        return (epoch + 1, theta), float(self.curvatures @ theta**2 / 2), 1.0

    def evaluate(self, config, epoch):
        state = None
        for _ in range(epoch):
            state, value, _ = self.advance(state, config)
        return value, float(epoch)


def trained(rates, seed=SEED):
    """Returns the loss after each epoch."""
    problem, state, losses = NoisyQuadratic(seed), None, []
    for rate in rates:
        state, value, _ = problem.advance(state, {"rate": rate})
        losses.append(value)
    return losses


epochs = np.arange(1, EPOCHS + 1)
falling = np.geomspace(1.0, 0.05, EPOCHS)
figure, ax = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
for rate, style in [(1.0, "--"), (0.3, "-."), (0.05, ":")]:
    ax.semilogy(epochs, trained([rate] * EPOCHS), style, label=f"rate {rate}")
ax.semilogy(epochs, trained(falling), "-", label="rate 1 → 0.05")
ax.set(xlabel="epoch", ylabel="loss")
ax.legend(frameon=False);
# %% [markdown] lang="es"
# La tasa que baja gana a cualquier constante. Aquí se ha escrito a mano; PBT la busca.
#
# ## Una población
#
# Ocho miembros se entrenan dos épocas. Entonces los dos peores se abandonan y en su lugar siguen **copias de los dos
# mejores**: con sus pesos y su estado (*exploit*), y con valores cercanos a los suyos (*explore*). Los demás continúan. Y así
# cada dos épocas. Una copia es un ensayo con número propio, y sabe quién es su padre.

# %% [markdown] lang="en"
# The falling rate beats every constant. Here it was written by hand; PBT searches for it.
#
# ## A population
#
# Eight members train two epochs. Then the two worst are given up, and **copies of the two best** go on in their places: with
# their weights and state (*exploit*), and with values near theirs (*explore*). The others continue. And so on every two
# epochs. A copy is a trial with a number of its own, which knows its parent.

# %%
population = kt.simulate(
    NoisyQuadratic(SEED), tuner="pbt", population=8, interval=2, seed=SEED, workers=8
)
print(population)
population.lineage().head(14)

# %% [markdown] lang="es"
# El árbol genealógico: cada línea es un ensayo, y cada copia sale de su padre en la época en que se hizo. En trazo grueso,
# el ganador y sus antepasados.

# %% [markdown] lang="en"
# The family tree: each line is a trial, and each copy leaves its parent at the epoch at which it was made. In bold, the
# winner and its ancestors.

# %%
population.plot.lineage();
# %% [markdown] lang="es"
# ## El calendario encontrado
#
# Los valores a lo largo de esa línea son el calendario.

# %% [markdown] lang="en"
# ## The schedule found
#
# The values along that line are the schedule.

# %%
population.plot.schedule();
# %%
population.schedule().drop_duplicates("trial")

# %% [markdown] lang="es"
# Una población es pequeña y el ruido decide mucho. La media de los calendarios de varias semillas muestra lo que las
# poblaciones encuentran: primero deprisa, luego cada vez más despacio. Nadie les dijo que la tasa debía bajar.

# %% [markdown] lang="en"
# One population is small, and noise decides much. The mean of the schedules of several seeds shows what populations find:
# fast at first, then slower and slower. Nobody told them that the rate ought to fall.

# %%
searches = [
    kt.simulate(NoisyQuadratic(seed), tuner="pbt", population=8, interval=2, seed=seed)
    for seed in SEEDS
]
rates = pd.concat([search.schedule() for search in searches])
mean = np.exp(np.log(rates["value"].astype(float)).groupby(rates["epoch"]).mean())
figure, ax = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
for search in searches:
    ax.semilogy(search.schedule()["epoch"], search.schedule()["value"], color="grey", alpha=0.3)
ax.semilogy(mean, color="tab:blue", linewidth=3, label="mean of the populations")
ax.semilogy(epochs, falling, "--", color="black", label="by hand")
ax.set(xlabel="epoch", ylabel="rate")
ax.legend(frameon=False);
# %% [markdown] lang="es"
# ## ¿Y si fuera suerte?
#
# Con las mismas 400 épocas: ocho constantes al azar, la población, y ocho veces el calendario escrito a mano. Cada punto es
# una semilla; la raya, la media. Más abajo es mejor.

# %% [markdown] lang="en"
# ## Could it be luck?
#
# With the same 400 epochs: eight random constants, the population, and eight times the schedule written by hand. Each dot
# is a seed; the bar is the mean. Lower is better.


# %%
def final_loss(results):
    """Returns log10 of the lowest loss after the last epoch."""
    curves = results.curves()
    last = curves[curves["epoch"] == EPOCHS]["value"]
    return np.log10(last.min())


losses = pd.DataFrame(
    {
        "constants": [
            final_loss(
                kt.simulate(
                    NoisyQuadratic(seed), tuner="full", max_trials=8, max_epochs=EPOCHS, seed=seed
                )
            )
            for seed in SEEDS
        ],
        "population": [final_loss(search) for search in searches],
        "by hand": [
            # A rate that differs by a millionth meets other noise.
            np.log10(min(trained(falling * (1 + 1e-6 * k), seed)[-1] for k in range(8)))
            for seed in SEEDS
        ],
    },
    index=SEEDS,
)
figure, ax = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
for place, name in enumerate(losses):
    ax.plot([place] * len(losses), losses[name], "o", alpha=0.5)
    ax.hlines(losses[name].mean(), place - 0.25, place + 0.25, color="black")
ax.set(xticks=range(3), xticklabels=list(losses), ylabel="log10 loss")
losses.mean().round(3)

# %% [markdown] lang="es"
# La población gana a las dos cosas: donde el calendario escrito a mano ya baja, las poblaciones siguen un tiempo con tasas
# altas. Qué calendario conviene no se sabe de antemano; en una red, menos todavía.
#
# ## Una red de verdad
#
# Con Keras es igual: `kt.PBT` recibe `build_model` y los argumentos de `fit`. Sin `mutate=[...]` cambian los números que no
# cambian la forma de la red: aquí la tasa y el dropout, pero no las unidades, que solo se eligen al principio.

# %% [markdown] lang="en"
# The population beats both: where the schedule written by hand falls already, populations keep to high rates for a while.
# Which schedule is right nobody knows beforehand; for a network even less so.
#
# ## A real network
#
# It is the same with Keras: `kt.PBT` takes `build_model` and the arguments of `fit`. Without `mutate=[...]` those numbers
# change that do not change the network's shape: here the rate and dropout, but not the units, which are only chosen at the
# start.

# %%
kt.Tuner  # brings TensorFlow along without its start-up notices
import keras
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

rows, labels = load_breast_cancer(return_X_y=True)
rows = StandardScaler().fit_transform(rows).astype("float32")
x, x_val, y, y_val = train_test_split(rows, labels, test_size=0.25, random_state=SEED)


def build_model(hp):
    units = hp.Choice("units", [16, 32])
    rate = hp.Float("rate", 1e-4, 1e-1, sampling="log")
    model = keras.Sequential(
        [
            keras.Input((30,)),
            keras.layers.Dense(units, "relu"),
            keras.layers.Dropout(hp.Float("dropout", 0.0, 0.5)),
            keras.layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    return model


tuner = kt.PBT(
    build_model,
    "val_loss",
    population=4,
    interval=2,
    max_epochs=6 if FAST else 16,
    seed=SEED,
    project_name="population",
    overwrite=True,
)
tuner.search(x, y, validation_data=(x_val, y_val), verbose=0)
tuner.results.plot.schedule();
# %% [markdown] lang="es"
# `replay_schedule()` es un *callback* que entrena un modelo nuevo con ese calendario:

# %% [markdown] lang="en"
# `replay_schedule()` is a callback that trains a fresh model on that schedule:

# %%
fresh = build_model(tuner.get_best_hyperparameters(1)[0])
schedule = tuner.results.replay_schedule()
history = fresh.fit(
    x, y, epochs=tuner.results.best.epoch, validation_data=(x_val, y_val), callbacks=[schedule],
    verbose=0,
)
print(round(history.history["val_loss"][-1], 4), round(tuner.results.best.score, 4))

# %% [markdown] lang="es"
# No son iguales: los pesos iniciales y el orden de los lotes son otros. El calendario es una receta, no el modelo.
#
# ## Ejercicios
#
# 1. ¿Cuántos ensayos de `population` son copias (`copies`), y cuántos antepasados tiene el ganador (`ancestors`)? Use
#    `population.lineage()`.
# 2. ¿Por cuánto se divide la tasa desde la primera época de la línea del ganador hasta la última (`fall`)? Use
#    `population.schedule()`.
# 3. ¿Cuántas épocas entrena una población de 20 miembros con 100 épocas (`epochs_20`)?

# %% [markdown] lang="en"
# They are not equal: the initial weights and the order of the batches are others. The schedule is a recipe, not the model.
#
# ## Exercises
#
# 1. How many trials of `population` are copies (`copies`), and how many ancestors has the winner (`ancestors`)? Use
#    `population.lineage()`.
# 2. By how much is the rate divided from the first epoch of the winner's line to its last one (`fall`)? Use
#    `population.schedule()`.
# 3. How many epochs does a population of 20 members with 100 epochs train (`epochs_20`)?

# %% tags=["answers"]
AUTHOR = ""
answers = {
    "copies": None,
    "ancestors": None,
    "fall": None,
    "epochs_20": None,
}

# %% lang="es"
from kerashpo.teaching import check_submission, write_submission

write_submission(
    "results.json",
    exercise="population",
    author=AUTHOR,
    parameters={"FAST": FAST, "SEED": SEED, "EPOCHS": EPOCHS},
    studies={"population": population},
    answers=answers,
)
print(check_submission("results.json", lang="es"))

# %% lang="en"
from kerashpo.teaching import check_submission, write_submission

write_submission(
    "results.json",
    exercise="population",
    author=AUTHOR,
    parameters={"FAST": FAST, "SEED": SEED, "EPOCHS": EPOCHS},
    studies={"population": population},
    answers=answers,
)
print(check_submission("results.json", lang="en"))
