"""Templates of a problem and its test, which ``kerashpo new-problem NAME`` writes."""

from __future__ import annotations

import keyword
import sys
from importlib.metadata import packages_distributions
from pathlib import Path
from string import Template

from kerashpo.core.errors import InvalidInput

_PROBLEM = Template('''"""$name: a problem of your own for kerashpo's comparison.

    python -m kerashpo.compare --problem $name.py:$name --max-epochs 10

Replace data and model by yours, then run its test: python -m pytest test_$name.py
"""

import kerashpo as kt


def build_model(hp):
    """Returns a compiled model. Keras is imported here, so that --dry-run starts at once.

    With default=... each parameter has the value that you would use without tuning: together
    they are the untuned model that the comparison measures the tuners against.
    """
    import keras

    model = keras.Sequential([keras.Input((4,))])  # as many as x has columns
    for i in range(hp.Int("layers", 1, 3, default=1)):
        units = hp.Int(f"units_{i}", 8, 128, step=8, default=32)
        model.add(keras.layers.Dense(units, activation="relu"))
    model.add(keras.layers.Dropout(hp.Float("dropout", 0.0, 0.5, step=0.1, default=0.0)))
    model.add(keras.layers.Dense(3, activation="softmax"))  # as many as there are classes
    rate = hp.Float("learning_rate", 1e-4, 1e-1, sampling="log", default=1e-3)
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def $name():
    """Returns the problem: arrays, model and objective."""
    from sklearn.datasets import load_iris

    data = load_iris()
    return kt.Task.from_arrays(
        build_model,
        data.data,  # samples: an array (n, ...), or a dict of arrays for several inputs
        data.target_names[data.target],  # labels, or numbers for a regression
        name="$name",
        objective="val_accuracy",  # a metric that the model logs, on the validation part
        # Scale by the training part alone; leave it out where the model needs no scaling.
        prepare=kt.problems.standardised,
        # groups=...,          one label a sample: samples of a group are never torn apart
        # in_time_order=True,  the rows are in time order: the last ones validate and test
        # target=0.95,         a good value: the report says how soon each search reached it
        batch_size=16,
        title={"en": "Iris", "es": "Lirios"},  # or one text
        description={
            "en": "150 irises with 4 measurements each: which of three species is it?",
            "es": "150 lirios con 4 medidas cada uno: ¿de cuál de tres especies es?",
        },
    )
''')

_TEST = Template('''"""The problem of $name.py: its splits, and a comparison of a few epochs."""

from pathlib import Path

from kerashpo.compare.__main__ import main
from kerashpo.problems.registry import make_task

SOURCE = f"{Path(__file__).with_name('$name.py')}:$name"


def test_every_seed_has_its_own_split_of_all_samples():
    task = make_task(SOURCE)
    sizes = [[len(y) for _, y in (s.train, s.validation, s.test)] for s in map(task.load, (0, 1))]
    assert sizes[0] == sizes[1]
    assert min(sizes[0]) > 0


def test_a_search_finds_a_model(tmp_path):
    few = "--tuners random --max-epochs 2 --max-trials 2 --quiet".split()
    assert main(["--problem", SOURCE, *few, "--out", str(tmp_path)]) == 0
    assert (tmp_path / "report.html").exists()
''')


def write_problem(name: str, folder: Path) -> tuple[Path, Path]:
    """Writes ``NAME.py`` and ``test_NAME.py``; returns their paths.

    Args:
        name: the name of the problem and its function.
        folder: the folder to write to.

    Raises:
        InvalidInput: if it is no name of Python, or a file is there already.
    """
    if not name.isidentifier() or keyword.iskeyword(name):
        raise InvalidInput(
            "A problem's name must be one of Python, for it is that of a file and a function: "
            f"letters, digits and '_'. Received: {name!r}."
        )
    if _is_module(name):
        raise InvalidInput(
            f"A file {name}.py would hide the module {name!r}, which is installed. Choose another "
            "name."
        )
    paths = folder / f"{name}.py", folder / f"test_{name}.py"
    for path in paths:
        if path.exists():
            raise InvalidInput(f"{str(path)!r} exists already. Choose another name, or move it.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, template in zip(paths, (_PROBLEM, _TEST)):
            path.write_text(template.substitute(name=name), "utf-8")
    except OSError as error:
        raise InvalidInput(
            f"Cannot write to {str(folder)!r}: {error.strerror}. Choose another with --out."
        ) from error
    return paths


def _is_module(name: str) -> bool:
    """Whether Python or an installed package has a module of this name."""
    return name in sys.stdlib_module_names or name in packages_distributions()
