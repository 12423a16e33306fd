"""Every executor of the package keeps what executors promise."""

from __future__ import annotations

import pytest

from kerashpo.testing.executors import CASES, CHECKS


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", CASES)
def test_executor(name, check):
    check(CASES[name])
