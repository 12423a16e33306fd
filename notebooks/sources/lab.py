# %% [markdown] lang="es"
# # Optimización de hiperparámetros en Keras: Hyperband y Bayesiana
#
# El laboratorio: los datos *Breast Cancer* de scikit-learn (569 tumores, 30 medidas cada uno), una red densa de
# 1 a 3 capas ocultas y dos sintonizadores. Cada número que aparece aquí se mide al ejecutar; nada está simulado.
#
# ## Qué es un hiperparámetro
#
# Los **parámetros** de una red (sus pesos) los aprende el entrenamiento. Los **hiperparámetros** se fijan antes: cuántas
# capas, cuántas unidades, qué activación, qué tasa de aprendizaje. Para elegirlos hay que entrenar y mirar, y cada
# mirada cuesta un entrenamiento. La pregunta es cómo gastar pocos.
#
# - **Hyperband** (Li et al., 2018) entrena muchas configuraciones unas pocas épocas, se queda con el mejor tercio, lo
#   entrena el triple, y así sucesivamente. Ahorra épocas en las malas.
# - La **optimización bayesiana** ajusta un proceso gaussiano a lo que ya se ha visto y prueba donde más promete. Ahorra
#   ensayos.

# %% [markdown] lang="en"
# # Hyperparameter optimisation in Keras: Hyperband and Bayesian
#
# The lab: scikit-learn's *Breast Cancer* data (569 tumours, 30 measurements each), a dense network with 1 to 3 hidden
# layers, and two tuners. Every number here is measured when the notebook runs; nothing is simulated.
#
# ## What a hyperparameter is
#
# The **parameters** of a network (its weights) are learnt by training. The **hyperparameters** are fixed before: how many
# layers, how many units, which activation, which learning rate. Choosing them takes training and looking, and each look
# costs a training. The question is how to spend few.
#
# - **Hyperband** (Li et al., 2018) trains many configurations for a few epochs, keeps the best third, trains it three
#   times as long, and so on. It saves epochs on bad ones.
# - **Bayesian optimisation** fits a Gaussian process to what was seen so far and tries where it promises most. It saves
#   trials.

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

# %% [markdown] lang="es"
# `FAST = True` hace una búsqueda más corta (9 épocas en vez de 50). Con `FAST = False` el cuaderno entero tarda unos
# tres minutos en dos núcleos.

# %% [markdown] lang="en"
# `FAST = True` searches less (9 epochs instead of 50). With `FAST = False` the whole notebook takes about three minutes
# on two cores.

# %%
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's start-up notices

import kerashpo as kt

kt.Tuner  # brings TensorFlow along without its start-up notices
import keras
import pandas as pd
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

MAX_EPOCHS = 9 if FAST else EPOCHS
TRIALS = 8 if FAST else 25

# %% [markdown] lang="es"
# ## Los datos
#
# La clase 0 es maligna y la 1, benigna. Un quinto, con la misma proporción de clases, se aparta para la prueba final:
# **ninguna búsqueda lo ve**. De lo demás, otro quinto sirve de validación, y con él se elige.

# %% [markdown] lang="en"
# ## The data
#
# Class 0 is malignant, class 1 is benign. A fifth, with the same share of classes, is put aside for the final test:
# **no search sees it**. Of the rest another fifth is for validation, and that is what decides.

# %%
x, y = load_breast_cancer(return_X_y=True)
x_rest, x_test, y_rest, y_test = train_test_split(
    x, y, test_size=0.2, stratify=y, random_state=SEED
)
x_train, x_val, y_train, y_val = train_test_split(
    x_rest, y_rest, test_size=0.2, stratify=y_rest, random_state=SEED
)
pd.DataFrame(
    {
        "train": [len(y_train), (y_train == 0).sum(), (y_train == 1).sum()],
        "validation": [len(y_val), (y_val == 0).sum(), (y_val == 1).sum()],
        "test": [len(y_test), (y_test == 0).sum(), (y_test == 1).sum()],
    },
    index=["tumours", "malignant", "benign"],
)

# %% [markdown] lang="es"
# ## Preprocesado
#
# Las medidas tienen escalas muy distintas (un área frente a una suavidad), y una red aprende mal así. Se restan medias y
# se divide por desviaciones típicas, **calculadas solo con la parte de entrenamiento**: lo contrario dejaría pasar
# información de la prueba.

# %% [markdown] lang="en"
# ## Preprocessing
#
# The measurements have very different scales (an area beside a smoothness), and a network learns badly from that. We
# subtract means and divide by standard deviations **of the training part alone**: anything else would leak information
# from the test set.

# %%
scaler = StandardScaler().fit(x_train)
x_train, x_val, x_test = (
    scaler.transform(part).astype("float32") for part in (x_train, x_val, x_test)
)

# %% [markdown] lang="es"
# ## El modelo y su espacio
#
# `build_model` recibe `hp` y declara lo que puede variar. Las unidades y el *dropout* de la capa 2 solo existen si hay
# capa 2: kerashpo lo descubre solo, antes de buscar.

# %% [markdown] lang="en"
# ## The model and its space
#
# `build_model` receives `hp` and declares what may vary. The units and the dropout of layer 2 exist only where there is
# a layer 2: kerashpo finds that out by itself, before it searches.


# %%
def build_model(hp):
    layers = hp.Int("layers", 1, 3)
    activation = hp.Choice("activation", ["relu", "tanh", "sigmoid"])
    model = keras.Sequential([keras.Input((30,))])
    for i in range(layers):
        units = hp.Int(f"units_{i}", 32, 512, step=32)
        model.add(keras.layers.Dense(units, activation=activation))
        model.add(keras.layers.Dropout(hp.Float(f"dropout_{i}", 0.0, 0.5, step=0.1)))
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    rate = hp.Choice("learning_rate", [1e-3, 1e-2, 1e-1])
    model.compile(keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
    return model


shared = dict(objective="val_accuracy", seed=SEED, directory="runs", overwrite=True)
data = dict(x=x_train, y=y_train, validation_data=(x_val, y_val), batch_size=32)

# %% [markdown] lang="es"
# ## Hyperband
#
# `plan()` dice, antes de entrenar nada, cuántos ensayos llegan a cada peldaño. En cada fila (*bracket*) se empieza con
# otro equilibrio entre muchos ensayos cortos y pocos largos.

# %% [markdown] lang="en"
# ## Hyperband
#
# `plan()` says, before anything is trained, how many trials reach each rung. Each row (a bracket) begins with another
# balance between many short trials and few long ones.

# %%
hyperband = kt.Hyperband(
    build_model, max_epochs=MAX_EPOCHS, factor=3, project_name="hyperband_tuning", **shared
)
hyperband.search_space_summary()
hyperband.plan()

# %%
hyperband.search(**data)

# %% [markdown] lang="es"
# ## Optimización bayesiana
#
# Cada ensayo se entrena hasta el final; los primeros sirven para que el proceso gaussiano tenga de qué aprender.

# %% [markdown] lang="en"
# ## Bayesian optimisation
#
# Every trial is trained to its end; the first ones give the Gaussian process something to learn from.

# %%
bayesian = kt.BayesianOptimization(
    build_model,
    max_trials=TRIALS,
    num_initial_points=5,
    project_name="bayesian_tuning",
    **shared,
)
bayesian.search(**data, epochs=MAX_EPOCHS)

# %% [markdown] lang="es"
# ## Y sin buscar
#
# Una comparación sin referencia no dice nada: los valores por defecto de `build_model`, entrenados igual de largo.

# %% [markdown] lang="en"
# ## And without searching
#
# A comparison without a baseline says nothing: `build_model`'s default values, trained equally long.

# %%
untuned = kt.RandomSearch(
    build_model, max_trials=1, tune_new_entries=False, project_name="untuned", **shared
)
untuned.search(**data, epochs=MAX_EPOCHS, verbose=0)

# %% [markdown] lang="es"
# ## La comparación, medida
#
# La validación eligió; ahora cada ganador ve por primera vez el conjunto de prueba, con los pesos de su mejor época.

# %% [markdown] lang="en"
# ## The comparison, measured
#
# Validation has chosen; now each winner sees the test set for the first time, with the weights of its best epoch.

# %%
def on_test(model):
    """Accuracy and cross-entropy of the predicted probabilities on the test set."""
    probability = keras.ops.convert_to_numpy(model(x_test))[:, 0]
    right = accuracy_score(y_test, probability > 0.5)
    return {"accuracy": right, "loss": log_loss(y_test, probability)}


searches = {"hyperband": hyperband, "bayesian": bayesian, "untuned": untuned}
test = {name: on_test(tuner.get_best_models(1)[0]) for name, tuner in searches.items()}
table = pd.DataFrame(
    {
        name: {
            "trials": len(tuner.results),
            "epochs": tuner.results.epochs,
            "seconds": round(tuner.results.seconds, 1),
            "val. accuracy": round(tuner.results.best.score, 4),
            "test accuracy": round(test[name]["accuracy"], 4),
            "test loss": round(test[name]["loss"], 4),
            "test errors": round(len(y_test) * (1 - test[name]["accuracy"])),
        }
        for name, tuner in searches.items()
    }
).T
table.astype({"trials": int, "epochs": int, "test errors": int})

# %% [markdown] lang="es"
# ## Análisis
#
# Las curvas de Hyperband: muchas líneas cortas, pocas largas. En rojo, la del mejor ensayo:
# decide su mejor época, no la última.

# %% [markdown] lang="en"
# ## Analysis
#
# Hyperband's curves: many short lines, few long ones. In red the best trial's: its best
# epoch decides, not its last one.

# %%
hyperband.results.plot.curves();
# %% [markdown] lang="es"
# Los ensayos de la búsqueda bayesiana uno tras otro, y el mejor hasta entonces.

# %% [markdown] lang="en"
# The Bayesian search's trials one after another, and the best so far.

# %%
bayesian.results.plot.history();
# %% [markdown] lang="es"
# ¿Cuánto cuesta llegar? La mejor exactitud de validación frente al tiempo de búsqueda, en esta ejecución. Una línea plana en
# 1 desde el principio no es un fallo: esa búsqueda acertó los 91 tumores de validación en una de sus primeras épocas. La
# medida está *saturada*: no puede subir más, y desde ahí ya no dice qué búsqueda es mejor.

# %% [markdown] lang="en"
# What does it cost to get there? The best validation accuracy against the time of search, in this run. A line that is flat
# at 1 from its start is no fault: that search had all 91 validation tumours right in one of its first epochs. The measure is
# *saturated*: it cannot rise further, and from there on it no longer tells which search is better.

# %%
kt.plots.compare({"Hyperband": hyperband, "Bayesian": bayesian}, by="seconds");
# %% [markdown] lang="es"
# ¿Qué valores ganaron?

# %% [markdown] lang="en"
# Which values won?

# %%
pd.DataFrame({name: tuner.results.best.config for name, tuner in searches.items()}).fillna("")
