# %% [markdown] lang="es"
# # Hyperband y ASHA, en un reloj virtual
#
# Entrenar cuesta, y casi siempre se ve pronto que una configuración no sirve. Este cuaderno mira **cómo** reparten las
# épocas *successive halving*, Hyperband y ASHA. No entrena nada: las curvas de aprendizaje son una fórmula y el reloj es
# virtual, de modo que una búsqueda con 8 trabajadores tarda un instante, y sus segundos son los que habría tardado.

# %% [markdown] lang="en"
# # Hyperband and ASHA, on a virtual clock
#
# Training is dear, and most configurations show soon that they are no good. This notebook looks at **how** successive
# halving, Hyperband and ASHA share out epochs. It trains nothing: the learning curves are a formula and the clock is
# virtual, so that a search with 8 workers takes an instant, and its seconds are those that it would have taken.

# %% tags=["parameters"]
FAST = False
SEED = 0
EPOCHS = 27

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
from kerashpo.problems.power_law import PowerLaw

SEEDS = range(3 if FAST else 10)
curves = PowerLaw(max_epochs=EPOCHS)

# %% [markdown] lang="es"
# ## Las curvas
#
# El error cae como una potencia de las épocas hacia un suelo (`quality`), más o menos deprisa (`speed`). Quien aprende
# rápido puede acabar peor que quien aprende despacio: por eso decidir pronto a veces se equivoca.

# %% [markdown] lang="en"
# ## The curves
#
# The error falls as a power of the epochs towards a floor (`quality`), faster or slower (`speed`). A fast learner may end
# worse than a slow one: that is why deciding early sometimes errs.

# %%
epochs = np.arange(1, EPOCHS + 1)
figure, ax = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
for quality, speed, style in [(0.30, 3.0, "-"), (0.10, 1.0, "--"), (0.02, 0.6, "-.")]:
    config = {"quality": quality, "speed": speed}
    errors = [curves.evaluate(config, int(epoch))[0] for epoch in epochs]
    ax.plot(epochs, errors, style, label=f"quality {quality}, speed {speed}")
ax.set(xlabel="epoch", ylabel="error")
ax.legend(frameon=False);
# %% [markdown] lang="es"
# ## El plan de Hyperband
#
# Con `factor=3`, cada peldaño entrena el triple y deja pasar al mejor tercio. Cada *bracket* (fila) reparte casi las
# mismas épocas: el primero apuesta por decidir pronto, el último no decide nunca. `27 x 1` son 27 ensayos, cada uno entrenado
# hasta la época 1.

# %% [markdown] lang="en"
# ## Hyperband's plan
#
# With `factor=3`, each rung trains three times as long and lets the best third pass. Each bracket (row) shares out almost
# the same epochs: the first one bets on deciding early, the last one never decides. `27 x 1` is 27 trials, each trained
# through epoch 1.

# %%
from kerashpo.schedulers import Hyperband

plan = Hyperband(EPOCHS).plan()
rows = {
    number: pd.Series([f"{rung.trials} x {rung.epochs}" for rung in bracket])
    for number, bracket in enumerate(plan.brackets, start=1)
}
pd.DataFrame(rows).T.fillna("")

# %% [markdown] lang="es"
# ## Hyperband con un trabajador
#
# Cada línea es un ensayo: sube mientras se entrena y es horizontal mientras espera a que su peldaño se decida. Verde:
# llegó al final; azul: se detuvo.

# %% [markdown] lang="en"
# ## Hyperband with one worker
#
# Each line is a trial: it rises while it is trained and is level while it waits for its rung to be settled. Green: it
# came to the end; blue: it was stopped.

# %%
alone = kt.simulate(curves, tuner="hyperband", seed=SEED)
print(alone, f"\n{alone.seconds:.0f} s")
alone.plot.rungs();

# %% [markdown] lang="es"
# ## Ocho trabajadores: el problema de esperar
#
# Hyperband es **síncrono**: un peldaño se decide cuando han llegado todos. Los últimos de cada peldaño tienen a los demás
# trabajadores parados, sobre todo si unos modelos tardan más que otros. Un problema propio es cualquier objeto con
# `space`, `direction`, `max_epochs` y `evaluate`: aquí, las mismas curvas, pero una época dura entre un cuarto de segundo y
# cuatro según `width`. Abajo, una fila por trabajador; el blanco es tiempo perdido.

# %% [markdown] lang="en"
# ## Eight workers: the trouble with waiting
#
# Hyperband is **synchronous**: a rung is settled when everyone has arrived. The last ones of each rung keep the other
# workers idle, the more so where some models take longer than others. A problem of your own is any object with `space`,
# `direction`, `max_epochs` and `evaluate`: here, the same curves, but an epoch takes between a quarter of a second and
# four, by `width`. Below, a row for each worker; white is time lost.


# %%
class Uneven:
    space = kt.Space(
        {
            "quality": kt.space.uniform(0, 1),
            "speed": kt.space.loguniform(0.1, 10),
            "width": kt.space.loguniform(0.25, 4),
        }
    )
    direction = "min"
    max_epochs = EPOCHS

    def evaluate(self, config, epoch):
        error, _ = curves.evaluate(config, epoch)
        return error, config["width"] * epoch


problem = Uneven()
hyperband = kt.simulate(problem, tuner="hyperband", seed=SEED, workers=8)
hyperband.plot.gantt();
# %% [markdown] lang="es"
# **ASHA** (Li et al., 2020) no espera: promueve a quien esté en el mejor tercio de los que han llegado *hasta ahora*, y si
# no hay nadie, empieza otro ensayo. Con las mismas épocas en total:

# %% [markdown] lang="en"
# **ASHA** (Li et al., 2020) does not wait: it promotes whoever is in the best third of those that have arrived *so far*,
# and where there is none it starts another trial. With the same epochs in all:

# %%
asha = kt.simulate(problem, tuner="asha", seed=SEED, workers=8, budget_epochs=hyperband.epochs)
asha.plot.gantt();
# %%
pd.DataFrame(
    {
        name: {
            "trials": len(results),
            "epochs": results.epochs,
            "seconds": round(results.seconds, 1),
            "best error": round(results.best.score, 4),
        }
        for name, results in {"hyperband": hyperband, "asha": asha}.items()
    }
).T.astype({"trials": int, "epochs": int})

# %% [markdown] lang="es"
# ## Y frente a entrenarlo todo hasta el final
#
# El mejor error según las épocas gastadas: la media sobre varias semillas, y cada semilla en trazo fino. Con las mismas
# épocas, el entrenamiento completo prueba muchas menos configuraciones.

# %% [markdown] lang="en"
# ## And against training everything to the end
#
# The best error by epochs spent: the mean over several seeds, each seed thinly. With the same epochs, full training
# tries far fewer configurations.

# %%
budget = hyperband.epochs
searches = {
    tuner: [kt.simulate(problem, tuner=tuner, seed=seed, budget_epochs=budget) for seed in SEEDS]
    for tuner in ("full", "hyperband", "asha")
}
kt.plots.compare(searches, by="epochs");
# %% [markdown] lang="es"
# En la tabla, ASHA acaba antes y mejor por dos razones: no espera, y prueba más configuraciones con las mismas épocas. Por
# épocas y con un solo trabajador (la figura) los dos van parejos, y muy por delante del entrenamiento completo hasta casi el
# final. Estas curvas son amables: quien va bien al principio suele acabar bien. Donde las primeras épocas engañan, detener
# pronto hace daño; por eso Hyperband guarda *brackets* que deciden tarde.
#
# ## Ejercicios
#
# 1. Con 81 épocas y `factor=3`, ¿cuántos ensayos empieza el primer *bracket* (`first_bracket_81`), y cuántas épocas suma
#    el plan entero (`epochs_81`)? Use `Hyperband(81).plan()`.
# 2. ¿Qué fracción del tiempo estuvieron parados los 8 trabajadores con Hyperband (`idle_hyperband`) y con ASHA
#    (`idle_asha`)? Entre todos tuvieron `8 * results.seconds` segundos; lo que entrenó cada ensayo está en la columna
#    `seconds` de `results.trials()`.

# %% [markdown] lang="en"
# In the table ASHA ends sooner and better for two reasons: it does not wait, and it tries more configurations with the same
# epochs. By epochs and on a single worker (the figure) the two are close, and far ahead of full training almost until the
# end. These curves are kind: who does well at first mostly ends well. Where the first epochs mislead, stopping early does
# harm; that is why Hyperband keeps brackets that decide late.
#
# ## Exercises
#
# 1. With 81 epochs and `factor=3`, how many trials does the first bracket start (`first_bracket_81`), and how many epochs
#    does the whole plan add up to (`epochs_81`)? Use `Hyperband(81).plan()`.
# 2. Which fraction of the time were the 8 workers idle with Hyperband (`idle_hyperband`) and with ASHA (`idle_asha`)?
#    Together they had `8 * results.seconds` seconds; what each trial was trained is the column `seconds` of
#    `results.trials()`.

# %% tags=["answers"]
AUTHOR = ""
answers = {
    "first_bracket_81": None,
    "epochs_81": None,
    "idle_hyperband": None,
    "idle_asha": None,
}

# %% lang="es"
from kerashpo.teaching import check_submission, write_submission

write_submission(
    "results.json",
    exercise="rungs",
    author=AUTHOR,
    parameters={"FAST": FAST, "SEED": SEED, "EPOCHS": EPOCHS},
    studies={"hyperband": hyperband, "asha": asha},
    answers=answers,
)
print(check_submission("results.json", lang="es"))

# %% lang="en"
from kerashpo.teaching import check_submission, write_submission

write_submission(
    "results.json",
    exercise="rungs",
    author=AUTHOR,
    parameters={"FAST": FAST, "SEED": SEED, "EPOCHS": EPOCHS},
    studies={"hyperband": hyperband, "asha": asha},
    answers=answers,
)
print(check_submission("results.json", lang="en"))
