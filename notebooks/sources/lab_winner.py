# %% [markdown] lang="es"
# ## ¿Se sostiene el ganador con datos nuevos?
#
# El ganador es el mejor de muchos en 91 tumores, y eso premia la suerte: entre ensayos igual de buenos gana el que
# acertó por azar. kerashpo lo dice con números.

# %% [markdown] lang="en"
# ## Does the winner hold on new data?
#
# The winner is the best of many on 91 tumours, and that favours luck: among trials that are equally good the one that
# was right by chance wins. kerashpo says so with numbers.

# %%
print(bayesian.results.best.note)

# %% [markdown] lang="es"
# *expected* es lo que cabe esperar con datos nuevos, con su intervalo del 95 %: se calcula solo con la validación
# (cuántos ensayos quedan cerca del mejor y con cuántas filas), sin mirar la prueba. ¿Queda más cerca de *test*?

# %% [markdown] lang="en"
# *expected* is what to expect on new data, with its 95 % interval. It is computed from validation alone (how many trials
# come near the best, on how many rows), without a look at the test set. Is it nearer to *test*?

# %%
pd.DataFrame(
    {
        name: {
            "shown": tuner.results.best.score,
            "expected": tuner.results.best.expected.value,
            "low": tuner.results.best.expected.low,
            "high": tuner.results.best.expected.high,
            "test": test[name]["accuracy"],
        }
        for name, tuner in searches.items()
    }
).T.round(4)

# %% [markdown] lang="es"
# Si el azar decide quién gana, mejor no elegir: **promediar**. `results.ensemble(10)` promedia las probabilidades de los
# diez mejores ensayos y no cuesta ninguna época. Una **ronda final** entrena además a los finalistas y al modelo por
# defecto en cinco particiones; `Recommended` la hace sin pedirla. El rival justo es el modelo por defecto, entrenado con
# cinco semillas y promediado: no necesita búsqueda alguna.

# %% [markdown] lang="en"
# Where chance decides who wins, better not choose: **average**. `results.ensemble(10)` averages the probabilities of the
# ten best trials and costs no epoch. A **final round** also trains the finalists and the untuned model on five folds;
# `Recommended` does so without being asked. The fair rival is the untuned model, trained with five seeds and averaged:
# it needs no search at all.

# %%
recommended = kt.Recommended(
    build_model, max_trials=TRIALS, max_epochs=MAX_EPOCHS, project_name="recommended", **shared
)
recommended.search(**data, verbose=0)
recommended.results.final

# %%
five = kt.RandomSearch(
    build_model,
    max_trials=1,
    executions_per_trial=5,
    tune_new_entries=False,
    project_name="untuned_five",
    **shared,
)
five.search(**data, epochs=MAX_EPOCHS, verbose=0)

models = {
    "untuned": untuned.get_best_models(1)[0],
    "untuned, 5 averaged": five.results.ensemble(1),
    "hyperband, winner": hyperband.get_best_models(1)[0],
    "hyperband, 10 averaged": hyperband.results.ensemble(10),
    "bayesian, winner": bayesian.get_best_models(1)[0],
    "bayesian, 10 averaged": bayesian.results.ensemble(10),
    "recommended, final round": recommended.results.final.model,
}
pd.DataFrame({name: on_test(model) for name, model in models.items()}).T.round(4)

# %% [markdown] lang="es"
# La exactitud apenas cambia: son unos pocos tumores. La **pérdida** de prueba sí: un ganador con mucha tasa de
# aprendizaje acierta casi siempre, pero cuando falla está muy seguro de ello, y en medicina eso importa. Los promedios
# lo corrigen.

# %% [markdown] lang="en"
# The accuracy hardly changes: it is a few tumours. The test **loss** does: a winner with a large learning rate is right
# most of the time, but where it is wrong it is very sure of it, and in medicine that matters. Averages mend it.

# %% [markdown] lang="es"
# ## Conclusiones
#
# - **Un tumor pesa mucho.** El conjunto de prueba tiene 114: acertar uno más sube la exactitud 0,9 puntos. Antes de
#   decir que un sintonizador gana, mire la columna *test errors* y piense cuántos errores de diferencia hay.
# - **Una semilla dice poco.** Medido con ocho semillas (véase `report/`), los intervalos de ambos sintonizadores se
#   solapan, y ajustar apenas gana al modelo por defecto, si es que gana: estos datos son fáciles.
# - **La validación es optimista, y se satura.** Se eligió lo mejor en 91 tumores; por eso *val. accuracy* suele quedar
#   por encima de *test accuracy*, más cuantos más ensayos se comparan. Cuando varios empatan, la validación ya no dice
#   nada, y buscar más no ayuda.
# - **Los promedios se sostienen.** Con ocho semillas, la pérdida de prueba de los ganadores es de tres a cuatro veces la
#   del modelo por defecto; la de los promedios, parecida a ella.
# - **Hyperband gasta menos épocas por configuración** y prueba más; la bayesiana prueba menos y mejor escogidas. Cuál
#   conviene depende de si las primeras épocas ya dicen algo.

# %% [markdown] lang="en"
# ## Conclusions
#
# - **One tumour weighs a lot.** The test set has 114: one more right is 0.9 points of accuracy. Before you say that a
#   tuner wins, look at the column *test errors* and at how many errors there are between them.
# - **One seed says little.** Measured over eight seeds (see `report/`), both tuners' intervals overlap, and tuning gains
#   hardly anything, if at all, over the untuned model: these data are easy.
# - **Validation is optimistic, and it saturates.** The best on 91 tumours was chosen, so that *val. accuracy* is mostly
#   above *test accuracy*, the more so the more trials are compared. Where several tie, validation has nothing left to
#   say, and searching longer does not help.
# - **Averages hold.** Over eight seeds the winners' test loss is three to four times the untuned model's; that of the
#   averages is about the same as the untuned model's.
# - **Hyperband spends fewer epochs on a configuration** and tries more; the Bayesian search tries fewer, better chosen
#   ones. Which is better depends on whether the first epochs tell anything.

# %% [markdown] lang="es"
# ## Ejercicios
#
# 1. ¿Cuántas épocas entrenó Hyperband su mejor ensayo (`best_trial_epochs`), y cuántas en total (`total_epochs`)?
#    Mire `hyperband.results.trials()`.
# 2. ¿Cuántos ensayos detuvo Hyperband antes del final, con estado `STOPPED` (`stopped`)?
# 3. Anote qué sintonizador gana, sume 1 a su `SEED` y ejecute todo de nuevo. ¿Gana el mismo? Escriba en `conclusion`, en
#    unas tres frases, qué dice eso de comparar con una sola semilla. Entregue con su propia semilla: póngala otra vez y
#    ejecute todo antes de la entrega.
#
# Sustituya los `None`, escriba su nombre y ejecute las dos últimas celdas. Puede repetirlas cuantas veces quiera.

# %% [markdown] lang="en"
# ## Exercises
#
# 1. How many epochs did Hyperband train its best trial (`best_trial_epochs`), and how many in all (`total_epochs`)?
#    Look at `hyperband.results.trials()`.
# 2. How many trials did Hyperband stop before the end, with status `STOPPED` (`stopped`)?
# 3. Note which tuner wins, add 1 to your `SEED` and run everything again. Does the same one win? Say in `conclusion`, in
#    about three sentences, what that says about comparing with a single seed. Hand in with your own seed: set it again
#    and run everything before the hand-in.
#
# Replace the `None`, write your name and run the last two cells, as often as you like.

# %% tags=["answers"]
AUTHOR = ""
answers = {
    "best_trial_epochs": None,
    "total_epochs": None,
    "stopped": None,
    "conclusion": None,
}

# %% [markdown] lang="es"
# ## Entrega
#
# Esta celda escribe `results.json` y dice qué falta. Entregue ese archivo tal cual.

# %% [markdown] lang="en"
# ## Hand-in
#
# This cell writes `results.json` and says what is missing. Hand in that file as it is.

# %% lang="es"
from kerashpo.teaching import check_submission, write_submission

write_submission(
    "results.json",
    exercise="lab",
    author=AUTHOR,
    parameters={"FAST": FAST, "SEED": SEED, "EPOCHS": EPOCHS},
    studies={name: searches[name].results for name in ("hyperband", "bayesian")},
    test=test,
    answers=answers,
)
print(check_submission("results.json", lang="es"))

# %% lang="en"
from kerashpo.teaching import check_submission, write_submission

write_submission(
    "results.json",
    exercise="lab",
    author=AUTHOR,
    parameters={"FAST": FAST, "SEED": SEED, "EPOCHS": EPOCHS},
    studies={name: searches[name].results for name in ("hyperband", "bayesian")},
    test=test,
    answers=answers,
)
print(check_submission("results.json", lang="en"))
