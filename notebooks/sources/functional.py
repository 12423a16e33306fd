# %% [markdown] lang="es"
# # El espacio funcional y `optimize`
#
# kerashpo no necesita Keras: con `kt.Space` se describe qué puede variar y `kt.optimize` busca el mejor valor de
# cualquier función de Python. Aquí, una máquina de vectores de soporte (SVM) de scikit-learn sobre los datos *Wine*
# (178 vinos, 13 medidas, 3 viticultores).

# %% [markdown] lang="en"
# # The functional space and `optimize`
#
# kerashpo does not need Keras: `kt.Space` describes what may vary, and `kt.optimize` searches the best value of any
# Python function. Here: a support vector machine (SVM) of scikit-learn on the *Wine* data (178 wines, 13 measurements,
# 3 growers).

# %% tags=["parameters"]
FAST = False
SEED = 0
EPOCHS = 1

# %% lang="es"
import os

os.environ["KERASHPO_LANG"] = "es"

# %% lang="en"
import os

os.environ["KERASHPO_LANG"] = "en"

# %%
import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_wine
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import kerashpo as kt

TRIALS = 12 if FAST else 40

# %% [markdown] lang="es"
# ## La función
#
# Recibe un diccionario de valores y devuelve un número: el error medio en cinco particiones. (Una función así no tiene
# épocas; por eso `EPOCHS = 1`.)

# %% [markdown] lang="en"
# ## The function
#
# It receives a dict of values and returns a number: the mean error over five folds. (Such a function has no epochs, so
# `EPOCHS = 1`.)

# %%
x, y = load_wine(return_X_y=True)


def error(config):
    model = make_pipeline(StandardScaler(), SVC(**config))
    return 1.0 - float(cross_val_score(model, x, y, cv=5).mean())


error({"C": 1.0, "kernel": "linear"})

# %% [markdown] lang="es"
# ## El espacio
#
# - `C` va de 0,001 a 1000: lo que importa es su orden de magnitud, así que la escala es logarítmica.
# - `gamma` solo existe con el núcleo `rbf` y `degree` solo con `poly`: `when` lo dice. Donde no existe, la función no lo
#   recibe y el algoritmo no lo tiene en cuenta.
# - `ordered=True` en `degree` dice que 2 está más cerca de 3 que de 4.

# %% [markdown] lang="en"
# ## The space
#
# - `C` runs from 0.001 to 1000: its order of magnitude is what matters, so the scale is logarithmic.
# - `gamma` exists only with the kernel `rbf`, and `degree` only with `poly`: `when` says so. Where it does not exist, the
#   function does not get it, and the algorithm leaves it out.
# - `ordered=True` of `degree` says that 2 is nearer to 3 than to 4.

# %%
space = kt.Space(
    {
        "C": kt.space.loguniform(1e-3, 1e3),
        "kernel": kt.space.choice(["linear", "rbf", "poly"]),
        **kt.space.when("kernel", "rbf", {"gamma": kt.space.loguniform(1e-4, 1e1)}),
        **kt.space.when("kernel", "poly", {"degree": kt.space.choice([2, 3, 4], ordered=True)}),
    }
)
space

# %% [markdown] lang="es"
# Los constructores: `uniform`, `loguniform`, `reverse_log`, `integer`, `choice`, `boolean`, `fixed`, y `when` para las
# condiciones. Un valor imposible se rechaza con una explicación, antes de ejecutar nada:

# %% [markdown] lang="en"
# The constructors: `uniform`, `loguniform`, `reverse_log`, `integer`, `choice`, `boolean`, `fixed`, and `when` for
# conditions. What cannot be meant is refused with an explanation, before anything runs:

# %%
try:
    kt.Space({"C": kt.space.loguniform(0.0, 1.0)})
except kt.core.errors.InvalidInput as refused:
    print(refused)

# %% [markdown] lang="es"
# ## Dos búsquedas
#
# La aleatoria sortea; la bayesiana aprende de lo visto. El mismo número de ensayos, la misma semilla.

# %% [markdown] lang="en"
# ## Two searches
#
# The random one draws; the Bayesian one learns from what was seen. The same number of trials, the same seed.

# %%
searches = {
    name: kt.optimize(error, space, algorithm=name, max_trials=TRIALS, seed=SEED)
    for name in ("random", "bayesian")
}
for name, results in searches.items():
    best = results.best
    print(f"{name:9} error {best.score:.4f}  trial {best.trial:2}  {best.config}")

# %% [markdown] lang="es"
# El mejor valor hasta cada ensayo. Con pocos ensayos y unos datos tan fáciles, ambas llegan lejos; lo que cambia es
# cuántos ensayos malos se hacen por el camino.

# %% [markdown] lang="en"
# The best value up to each trial. With few trials and data this easy both get far; what differs is how many bad trials
# are made on the way.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained", sharey=True)
searches["random"].plot.history(ax=left).set_title("random", loc="left")
searches["bayesian"].plot.history(ax=right).set_title("bayesian", loc="left");
# %% [markdown] lang="es"
# ## Todo lo que se probó es una tabla

# %% [markdown] lang="en"
# ## All that was tried is a table

# %%
trials = searches["bayesian"].trials()
trials[["trial", "score", "param_C", "param_kernel", "param_gamma", "param_degree"]].head(8)

# %%
pd.concat(
    {
        name: r.trials().groupby("param_kernel")["score"].agg(["count", "min", "mean"]).round(4)
        for name, r in searches.items()
    },
    axis=1,
)

# %% [markdown] lang="es"
# ## Qué cree el modelo
#
# El proceso gaussiano a lo largo de `C`, con lo demás como en la mejor configuración: la línea es lo que espera, la
# banda lo que duda.

# %% [markdown] lang="en"
# ## What the model believes
#
# The Gaussian process along `C`, all else as in the best configuration: the line is what it expects, the band how much
# it doubts.

# %%
searches["bayesian"].plot.surrogate("C");

# %% [markdown] lang="es"
# ## Un error en la función no acaba con la búsqueda
#
# El ensayo cuenta como fallido, y los demás siguen.

# %% [markdown] lang="en"
# ## An error in the function does not end the search
#
# That trial counts as failed, and the others continue.


# %%
def fragile(config):
    if config["kernel"] == "poly":
        raise ValueError("no polynomials today")
    return error(config)


some = kt.optimize(fragile, space, algorithm="random", max_trials=6, seed=SEED)
some.failures()[["trial", "kind", "message"]]

# %% [markdown] lang="es"
# ## Ejercicios
#
# 1. ¿En cuántos ensayos eligió la búsqueda bayesiana el núcleo `rbf` (`rbf_trials`)?
# 2. ¿Cuántos ensayos le hicieron falta para un error por debajo de 0,03 (`trials_to_3_percent`; 0 si no llegó)?
#    Los ensayos se numeran desde 0.
# 3. ¿Qué fracción de los ensayos aleatorios es peor que el mejor bayesiano (`fraction_of_random`, entre 0 y 1)?

# %% [markdown] lang="en"
# ## Exercises
#
# 1. In how many trials did the Bayesian search choose the kernel `rbf` (`rbf_trials`)?
# 2. How many trials did it need for an error below 0.03 (`trials_to_3_percent`; 0 if it never got there)? Trials are
#    numbered from 0.
# 3. Which fraction of the random trials is worse than the Bayesian best (`fraction_of_random`, between 0 and 1)?

# %% tags=["answers"]
AUTHOR = ""
answers = {"rbf_trials": None, "trials_to_3_percent": None, "fraction_of_random": None}

# %% lang="es"
from kerashpo.teaching import check_submission, write_submission

write_submission(
    "results.json",
    exercise="functional",
    author=AUTHOR,
    parameters={"FAST": FAST, "SEED": SEED, "EPOCHS": EPOCHS},
    studies=searches,
    answers=answers,
)
print(check_submission("results.json", lang="es"))

# %% lang="en"
from kerashpo.teaching import check_submission, write_submission

write_submission(
    "results.json",
    exercise="functional",
    author=AUTHOR,
    parameters={"FAST": FAST, "SEED": SEED, "EPOCHS": EPOCHS},
    studies=searches,
    answers=answers,
)
print(check_submission("results.json", lang="en"))
