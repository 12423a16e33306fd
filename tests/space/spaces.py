"""Random spaces for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from kerashpo.space import Condition, Param, Space
from kerashpo.space.domains import Boolean, Choice, Domain, Fixed, Float, Integer

DOMAINS: list[Domain] = [
    Float(0.0, 1.0),
    Float(1e-4, 1.0, None, "log"),
    Float(0.0, 0.5, 0.1),
    Float(2.0, 2.0),
    Integer(1, 4),
    Integer(1, 64, None, "log"),
    Integer(1, 64, 2, "log"),
    Integer(0, 100_000),
    Choice(("a", "b", "c")),
    Choice((8, 16, 32), ordered=True),
    Choice(((1,), (2, 3))),
    Choice(("only",)),
    Boolean(),
    Fixed("x"),
    Fixed(3),
]
"""Every kind; those with one value are parents as well."""


@st.composite
def _spaces(draw) -> Space:
    params: list[Param] = []
    for index in range(draw(st.integers(1, 6))):
        parents = [p for p in params if 0 < p.domain.levels <= 4]
        chosen = draw(st.lists(st.sampled_from(parents), max_size=2)) if parents else []
        conditions = tuple(
            Condition(name, tuple(_some_values(draw, next(p for p in parents if p.name == name))))
            for name in sorted({parent.name for parent in chosen})
        )
        params.append(Param(f"p{index}", draw(st.sampled_from(DOMAINS)), conditions))
    return Space.of(params)


def _some_values(draw, parent: Param) -> list[object]:
    n = parent.domain.levels
    values = [parent.domain.at((i + 0.5) / n) for i in range(n)]
    return draw(st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True))


SPACES = _spaces()
