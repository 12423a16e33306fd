"""The search space in words."""

from __future__ import annotations

import pytest

import kerashpo as kt
from kerashpo.display.summary import space_text
from kerashpo.i18n.texts import Texts

SPACE = kt.Space(
    {
        "layers": kt.space.integer(1, 3),
        "rate": kt.space.loguniform(0.0005, 0.5),
        "units": kt.space.choice([8, 16], ordered=True),
        "size": kt.space.choice([(1, 2), (3, 4)]),
        "skip": kt.space.boolean(),
    }
)


@pytest.mark.parametrize(
    ("lang", "lines"),
    [
        (
            "en",
            ["layers: int low 1, high 3", "rate: float low 0.0005, high 0.5, scale log",
             "units: choice values [8, 16], ordered", "size: choice values ['(1, 2)', '(3, 4)']",
             "skip: bool"],
        ),
        (
            "es",
            ["layers: entero mínimo 1, máximo 3",
             "rate: real mínimo 0,0005, máximo 0,5, escala log",
             "units: categoría valores [8, 16], ordenados",
             "size: categoría valores ['(1, 2)', '(3, 4)']", "skip: sí o no"],
        ),
    ],
)  # fmt: skip
def test_each_parameter_is_said_in_the_reader_s_language(lang, lines):
    assert [line.strip() for line in space_text(SPACE, Texts(lang)).splitlines()[1:]] == lines
