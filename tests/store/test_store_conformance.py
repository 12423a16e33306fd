"""Every lasting store of the package keeps what stores promise."""

from __future__ import annotations

import pytest

from kerashpo.core.events import EVENTS as KINDS
from kerashpo.testing.stores import CASES, CHECKS, EVENTS


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", CASES)
def test_store(name, check, tmp_path):
    check(CASES[name], tmp_path)


def test_every_kind_of_event_is_tried():
    assert {type(event) for event in EVENTS} == set(KINDS.values())
