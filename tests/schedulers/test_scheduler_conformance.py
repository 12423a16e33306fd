"""Every scheduler of the package keeps what schedulers promise."""

from __future__ import annotations

import pytest

from kerashpo.testing import schedulers
from kerashpo.testing.schedulers import CASES, CHECKS


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", CASES)
def test_scheduler(name, check):
    check(CASES[name])


def test_every_check_is_listed():
    own = [
        f for f in vars(schedulers).values() if getattr(f, "__module__", "") == schedulers.__name__
    ]
    public = {f.__name__ for f in own if callable(f) and not f.__name__.startswith("_")}
    named = {check.__name__ for check in CHECKS}
    assert public - named == {"SchedulerCase", "check_scheduler"}
