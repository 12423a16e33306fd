# %% [markdown] lang="es"
# # El proceso gaussiano y la adquisición
#
# La optimización bayesiana hace dos cosas una y otra vez: **cree** (ajusta un proceso gaussiano a lo visto) y **decide**
# (prueba donde más espera ganar). Este cuaderno lo construye a mano para una función de un número, y luego mira lo mismo
# dentro de kerashpo.

# %% [markdown] lang="en"
# # The Gaussian process and the acquisition
#
# Bayesian optimisation does two things over and over: it **believes** (fits a Gaussian process to what was seen) and it
# **decides** (tries where it expects to gain most). This notebook builds it by hand for a function of one number, and
# then looks at the same inside kerashpo.

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
import math

import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import norm

import kerashpo as kt

TRIALS = 8 if FAST else 14

# %% [markdown] lang="es"
# ## La función
#
# La de Forrester et al. (2008), en [0, 1]: dos valles, uno engañoso a la izquierda y el bueno a la derecha. Imagine que
# evaluarla cuesta una hora de entrenamiento. Solo hemos mirado en tres puntos.

# %% [markdown] lang="en"
# ## The function
#
# That of Forrester et al. (2008) on [0, 1]: two valleys, a misleading one on the left and the good one on the right.
# Imagine that evaluating it costs an hour of training. We have looked at three points only.


# %%
def f(x):
    return (6 * x - 2) ** 2 * math.sin(12 * x - 4)


grid = np.linspace(0, 1, 401)
seen = np.array([0.1, 0.5, 0.9])
values = np.array([f(x) for x in seen])
dict(zip(seen.tolist(), values.round(4).tolist()))

# %% [markdown] lang="es"
# ## Creer: la distribución a posteriori
#
# Un proceso gaussiano supone que puntos cercanos tienen valores parecidos. Cuánto se parecen lo dice el **núcleo**:
# $k(a, b) = \exp\left(-\tfrac12 \left(\tfrac{a-b}{\ell}\right)^2\right)$, con $\ell$ la distancia a la que dejan de
# parecerse. Condicionado a lo visto, en cada punto $x$ queda una media y una desviación (Rasmussen y Williams, 2006,
# ecuaciones 2.23 y 2.24):
#
# $$\mu(x) = k(x, X)\,K^{-1} y \qquad \sigma^2(x) = k(x, x) - k(x, X)\,K^{-1} k(X, x)$$

# %% [markdown] lang="en"
# ## Believing: the posterior
#
# A Gaussian process supposes that near points have like values. How alike is said by the **kernel**:
# $k(a, b) = \exp\left(-\tfrac12 \left(\tfrac{a-b}{\ell}\right)^2\right)$, with $\ell$ the distance over which they stop
# being alike. Given what was seen, each point $x$ has a mean and a deviation (Rasmussen and Williams, 2006, equations
# 2.23 and 2.24):
#
# $$\mu(x) = k(x, X)\,K^{-1} y \qquad \sigma^2(x) = k(x, x) - k(x, X)\,K^{-1} k(X, x)$$


# %%
def kernel(a, b, length=0.2):
    return np.exp(-0.5 * ((a[:, None] - b[None, :]) / length) ** 2)


def posterior(x, seen, values):
    """Mean and deviation at x (n,), given values (m,) at seen (m,)."""
    gram = kernel(seen, seen) + 1e-10 * np.eye(len(seen))
    cross = kernel(x, seen)
    weights = np.linalg.solve(gram, cross.T).T
    mean = weights @ values
    variance = 1.0 - np.sum(weights * cross, axis=1)
    return mean, np.sqrt(np.maximum(variance, 0.0))


def draw(ax, seen, values):
    mean, deviation = posterior(grid, seen, values)
    ax.fill_between(grid, mean - 1.96 * deviation, mean + 1.96 * deviation, alpha=0.2)
    ax.plot(grid, mean, label="mean")
    ax.plot(grid, [f(x) for x in grid], "k:", linewidth=1, label="f (unknown)")
    ax.plot(seen, values, "o", color="black", markersize=5)
    ax.set(xlabel="x", ylabel="f(x)", ylim=(-10, 17))


figure, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
draw(ax, seen, values)
ax.legend(frameon=False, loc="upper left");

# %% [markdown] lang="es"
# La banda (95 %) es nula donde miramos y crece al alejarse. No sabe nada del valle de la derecha: nadie ha mirado allí.
#
# ## Decidir: la mejora esperada
#
# Si el mejor valor visto es $y^*$, la **mejora esperada** en $x$ es
# $\mathrm{EI}(x) = \sigma\,\bigl(z\,\Phi(z) + \varphi(z)\bigr)$ con $z = (y^* - \mu)/\sigma$. Es grande donde la media es
# baja (**explotar**) o donde la duda es grande (**explorar**).

# %% [markdown] lang="en"
# The band (95 %) vanishes where we looked and grows away from there. It knows nothing of the valley on the right: nobody
# has looked there.
#
# ## Deciding: expected improvement
#
# If the best value seen is $y^*$, the **expected improvement** at $x$ is
# $\mathrm{EI}(x) = \sigma\,\bigl(z\,\Phi(z) + \varphi(z)\bigr)$ with $z = (y^* - \mu)/\sigma$. It is large where the mean
# is low (**exploit**) or where the doubt is large (**explore**).


# %%
def expected_improvement(x, seen, values):
    mean, deviation = posterior(x, seen, values)
    deviation = np.maximum(deviation, 1e-9)
    z = (values.min() - mean) / deviation
    return deviation * (z * norm.cdf(z) + norm.pdf(z))


figure, axes = plt.subplots(
    2, 4, figsize=(12, 5), layout="constrained", sharex=True, height_ratios=[2, 1]
)
xs, ys = seen, values
for top, bottom in axes.T:
    draw(top, xs, ys)
    promise = expected_improvement(grid, xs, ys)
    following = grid[promise.argmax()]
    bottom.fill_between(grid, promise, color="#E69F00", alpha=0.5)
    bottom.axvline(following, color="#D55E00", linestyle="--")
    bottom.set(xlabel="x", yticks=[])
    top.set(title=f"{len(xs)} points, next x = {following:.3f}", xlabel="")
    xs, ys = np.append(xs, following), np.append(ys, f(following))
axes[1, 0].set_ylabel("EI");
# %% [markdown] lang="es"
# El proceso hecho a mano se queda en el valle de la izquierda. Entre 0,5 y 0,9 no ha mirado, pero la línea que une esos dos
# puntos le basta para creer que allí no hay nada.
#
# ## Lo mismo en kerashpo
#
# El proceso de kerashpo no fija $\ell$: lo **ajusta** a los datos, junto con el ruido y la escala, y su núcleo es el de
# Matérn. Además maneja enteros, categorías y parámetros que solo a veces existen. La mejora esperada se calcula en
# logaritmos, porque lejos de lo bueno es tan pequeña que un número corriente la redondea a cero.
#
# Con los mismos tres puntos de partida (`enqueue` hace que se prueben primero):

# %% [markdown] lang="en"
# The process made by hand stays in the valley on the left. It has not looked between 0.5 and 0.9, but the line between those
# two points is enough for it to believe that nothing is there.
#
# ## The same in kerashpo
#
# kerashpo's process does not fix $\ell$: it is **fitted** to the data, with the noise and the scale, and its kernel is
# Matérn's. It also copes with integers, categories and parameters that exist only sometimes. The expected improvement is
# computed in logarithms, for far from what is good it is so small that an ordinary number rounds it to zero.
#
# With the same three points to begin with (`enqueue` has them tried first):

# %%
space = kt.Space({"x": kt.space.uniform(0.0, 1.0)})
options = dict(algorithm="bayesian", seed=SEED, num_initial_points=3)
same = [{"x": float(x)} for x in seen]
stuck = kt.optimize(lambda c: f(c["x"]), space, max_trials=TRIALS, enqueue=same, **options)
print(f"best {stuck.best.score:.4f} at x = {stuck.best.config['x']:.4f}")
stuck.plot.surrogate("x");

# %% [markdown] lang="es"
# (La media pasa por debajo de los puntos peores a propósito: kerashpo recorta lo que es mucho peor que lo demás, pues cuán
# malo sea apenas informa sobre lo bueno.)
#
# **También se queda a la izquierda.** Ajustar el núcleo no lo salva: tres puntos mal puestos engañan a cualquier modelo, y
# la mejora esperada es codiciosa. Por eso una búsqueda bayesiana empieza con varios puntos repartidos por el espacio
# (`num_initial_points`; entre 4 y 10 si no se dice nada). Con los puntos que kerashpo elige él mismo, aunque solo sean tres:

# %% [markdown] lang="en"
# (The mean passes below the worst points on purpose: kerashpo cuts what is much worse than the rest, for how bad it is says
# little about what is good.)
#
# **It stays on the left as well.** Fitting the kernel does not save it: three points in bad places mislead any model, and
# expected improvement is greedy. That is why a Bayesian search begins with several points spread over the space
# (`num_initial_points`; between 4 and 10 if you say nothing). With the points that kerashpo chooses itself, though only
# three:

# %%
figure, axes = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
for ax, count in zip(axes, (4, 6, TRIALS)):
    search = kt.optimize(lambda c: f(c["x"]), space, max_trials=count, **options)
    search.plot.surrogate("x", ax=ax).set_title(f"{count} trials", loc="left")

# %%
search.plot.history()
search.best

# %% [markdown] lang="es"
# Uno de los tres cayó en el valle bueno. Con 4 ensayos la banda es ancha a la izquierda, donde nadie ha mirado: la
# adquisición promete allí, la búsqueda va a verlo, y luego afina a la derecha. La misma semilla da los mismos ensayos: la
# búsqueda de 4 es el principio de la de 6.
#
# ## Dos dimensiones
#
# La función de Branin tiene tres mínimos iguales. Los colores son lo que el proceso espera; los puntos, los ensayos.

# %% [markdown] lang="en"
# One of the three fell into the good valley. With 4 trials the band is wide on the left, where nobody has looked: the
# acquisition promises there, the search goes and sees, and then refines on the right. The same seed gives the same trials:
# the search of 4 is the beginning of that of 6.
#
# ## Two dimensions
#
# Branin's function has three equal minima. The colours are what the process expects, the points are the trials.


# %%
def branin(c):
    x, y = c["x"], c["y"]
    bend = y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6
    return bend**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10


plane = kt.Space({"x": kt.space.uniform(-5, 10), "y": kt.space.uniform(0, 15)})
found = kt.optimize(branin, plane, max_trials=12 if FAST else 30, seed=SEED)
print(f"best {found.best.score:.4f} (the minimum is 0.3979)")
found.plot.surrogate("x", "y");
# %% [markdown] lang="es"
# ## Ejercicios
#
# 1. Con los tres puntos de arriba (0,1, 0,5 y 0,9) y $\ell = 0{,}2$, ¿qué media (`mean`) y qué desviación (`deviation`)
#    tiene el proceso hecho a mano en $x = 0{,}7$? Tres decimales.
# 2. El mínimo de `f` está en $x = 0{,}7572$. ¿A qué distancia queda el mejor $x$ de `search` (`distance`)?
# 3. Añada 0,7 a `same` y repita. ¿Sale del valle de la izquierda? (Sin respuesta que entregar.)
# 4. Cambie `length` en `kernel` a 0,05 y a 1 y mire la figura. ¿Qué cree entonces el proceso entre los puntos? (Sin
#    respuesta que entregar; deje 0,2 al final.)

# %% [markdown] lang="en"
# ## Exercises
#
# 1. With the three points above (0.1, 0.5 and 0.9) and $\ell = 0.2$, which mean (`mean`) and deviation (`deviation`) has
#    the process made by hand at $x = 0.7$? Three decimals.
# 2. The minimum of `f` is at $x = 0.7572$. How far from it is the best $x$ of `search` (`distance`)?
# 3. Add 0.7 to `same` and repeat. Does it leave the valley on the left? (Nothing to hand in.)
# 4. Change `length` in `kernel` to 0.05 and to 1 and look at the figure. What does the process then believe between the
#    points? (Nothing to hand in; leave 0.2 in the end.)

# %% tags=["answers"]
AUTHOR = ""
answers = {"mean": None, "deviation": None, "distance": None}

# %% lang="es"
from kerashpo.teaching import check_submission, write_submission

write_submission(
    "results.json",
    exercise="gaussian",
    author=AUTHOR,
    parameters={"FAST": FAST, "SEED": SEED, "EPOCHS": EPOCHS},
    studies={"search": search},
    answers=answers,
)
print(check_submission("results.json", lang="es"))

# %% lang="en"
from kerashpo.teaching import check_submission, write_submission

write_submission(
    "results.json",
    exercise="gaussian",
    author=AUTHOR,
    parameters={"FAST": FAST, "SEED": SEED, "EPOCHS": EPOCHS},
    studies={"search": search},
    answers=answers,
)
print(check_submission("results.json", lang="en"))
