from hypothesis import given
from hypothesis import strategies as st

from kerashpo.schedulers.rung import AsyncRung, Standing, promotion_order

COSTS = st.lists(st.integers(0, 6) | st.just(float("inf")), min_size=1, max_size=60)


def alone(rank):
    return Standing(rank, rank[:1])


def best_unpromoted(ranks, factor, gone):
    top = sorted(ranks)[: len(ranks) // factor]
    return next((rank[2] for rank in top if rank[2] not in gone), None)


@given(costs=COSTS, factor=st.integers(2, 5))
def test_the_head_is_the_best_unpromoted_of_the_top_after_every_arrival(costs, factor):
    rung, ranks, gone = AsyncRung(3, factor), [], set()
    for trial, cost in enumerate(costs):
        ranks.append((float(cost), 0.0, trial))
        rung.add(alone(ranks[-1]))
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
        forward.add(alone(rank))
    for rank in reversed(ranks):
        backward.add(alone(rank))
    tops = [{t for t in range(len(costs)) if r.in_top(t)} for r in (forward, backward)]
    assert tops[0] == tops[1] == {r[2] for r in sorted(ranks)[: len(ranks) // 3]}


def test_a_member_keeps_its_first_rank():
    rung = AsyncRung(1, 2)
    rung.add(alone((1.0, 0.0, 0)))
    rung.add(alone((9.0, 0.0, 0)))
    rung.add(alone((2.0, 0.0, 1)))
    assert len(rung) == 2
    assert rung.head() == 0


def test_the_best_of_a_rung_that_is_too_small_to_promote():
    rung = AsyncRung(1, 3)
    rung.add(alone((2.0, 0.0, 0)))
    rung.add(alone((1.0, 0.0, 1)))
    assert rung.head() is None
    assert rung.best() == 1
    rung.leave(1)
    assert rung.best() == 0
    assert rung.candidates == 1


def standing(trial, *costs):
    return Standing((costs[0], 0.0, trial), costs)


def test_several_objectives_are_promoted_front_by_front_and_the_least_crowded_first():
    # The first front is 0, 2, 4, 3 along its way; 3 and 4 lie close together, 0 and 2 at its ends.
    members = [
        standing(0, 0.0, 10.0),
        standing(1, 6.0, 6.0),
        standing(2, 10.0, 0.0),
        standing(3, 5.0, 5.0),
        standing(4, 4.0, 5.5),
        Standing((float("inf"), float("inf"), 5), (float("inf"), 1.0)),
    ]
    assert [one.trial for one in promotion_order(members)] == [0, 2, 3, 4, 1, 5]
    assert [one.trial for one in promotion_order(members[::-1])] == [0, 2, 3, 4, 1, 5]


def test_a_newcomer_that_dominates_takes_the_place_of_others():
    rung = AsyncRung(1, 2)
    rung.add(standing(0, 1.0, 3.0))
    rung.add(standing(1, 3.0, 1.0))
    assert rung.head() == 0
    rung.leave(0)
    rung.add(standing(2, 0.5, 0.5))
    rung.add(standing(3, 9.0, 9.0))
    assert rung.head() == 2
    assert [rung.in_top(trial) for trial in range(4)] == [True, False, True, False]
    rung.leave(2)
    assert rung.head() is None
    assert rung.candidates == 2
