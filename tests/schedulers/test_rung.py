from hypothesis import given
from hypothesis import strategies as st

from kerashpo.schedulers.rung import AsyncRung

COSTS = st.lists(st.integers(0, 6) | st.just(float("inf")), min_size=1, max_size=60)


def best_unpromoted(ranks, factor, gone):
    top = sorted(ranks)[: len(ranks) // factor]
    return next((rank[2] for rank in top if rank[2] not in gone), None)


@given(costs=COSTS, factor=st.integers(2, 5))
def test_the_head_is_the_best_unpromoted_of_the_top_after_every_arrival(costs, factor):
    rung, ranks, gone = AsyncRung(3, factor), [], set()
    for trial, cost in enumerate(costs):
        ranks.append((float(cost), 0.0, trial))
        rung.add(ranks[-1])
        while (expected := best_unpromoted(ranks, factor, gone)) is not None:
            assert rung.head() == expected
            assert rung.in_top(expected)
            rung.leave(expected)
            gone.add(expected)
        assert rung.head() is None


@given(costs=COSTS)
def test_the_order_of_arrival_does_not_change_the_top(costs):
    ranks = [(float(cost), 0.0, trial) for trial, cost in enumerate(costs)]
    forward, backward = AsyncRung(1, 3), AsyncRung(1, 3)
    for rank in ranks:
        forward.add(rank)
    for rank in reversed(ranks):
        backward.add(rank)
    tops = [{t for t in range(len(costs)) if r.in_top(t)} for r in (forward, backward)]
    assert tops[0] == tops[1] == {r[2] for r in sorted(ranks)[: len(ranks) // 3]}


def test_a_member_keeps_its_first_rank():
    rung = AsyncRung(1, 2)
    rung.add((1.0, 0.0, 0))
    rung.add((9.0, 0.0, 0))
    rung.add((2.0, 0.0, 1))
    assert len(rung) == 2
    assert rung.head() == 0


def test_the_best_of_a_rung_that_is_too_small_to_promote():
    rung = AsyncRung(1, 3)
    rung.add((2.0, 0.0, 0))
    rung.add((1.0, 0.0, 1))
    assert rung.head() is None
    assert rung.best() == 1
    rung.leave(1)
    assert rung.best() == 0
    assert rung.candidates == 1
