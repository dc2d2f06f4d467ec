"""Superseded generations are kept for readers, by number, and by day."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.store.generations.retention.rules import GenerationTime, Retention

NOW = datetime(2025, 8, 20, 15, 0, tzinfo=UTC)


def at(generation: int, **ago: float) -> GenerationTime:
    return GenerationTime(generation, NOW - timedelta(**ago))


def test_nothing_is_kept_of_nothing() -> None:
    assert Retention(3600, 3, 14).choose_kept([], NOW) == set()


def test_the_newest_is_always_kept() -> None:
    assert Retention(0).choose_kept([at(7, days=400)], NOW) == {7}
    assert Retention(0).choose_kept([at(6, days=500), at(7, days=400)], NOW) == {7}


def test_readers_may_finish() -> None:
    loads = [at(1, days=9), at(2, minutes=90), at(3, minutes=50), at(4, minutes=10)]
    assert Retention(3600).choose_kept(loads, NOW) == {2, 3, 4}, "2 was superseded 50 minutes ago"
    assert Retention(3600).choose_recent(loads, NOW) == {2, 3, 4}


def test_the_newest_few_are_kept_however_old() -> None:
    loads = [at(number, days=100 - number) for number in range(1, 10)]
    assert Retention(0, generations=3).choose_kept(loads, NOW) == {6, 7, 8, 9}


def test_a_bad_load_can_be_undone_days_later() -> None:
    """The generation before the bad load is old, but it was in use until that load."""
    good, bad = at(1, days=40), at(2, days=6)
    checks = [at(number, days=8 - number) for number in range(3, 8)]  # a daily dq_check makes generations too
    assert 1 in Retention(0, days=7).choose_kept([good, bad, *checks], NOW)
    assert 1 not in Retention(0, days=5).choose_kept([good, bad, *checks], NOW)


def test_many_loads_in_one_evening_leave_one_generation_for_that_day() -> None:
    before = at(1, days=3)
    evening = [at(number, days=1, minutes=-number) for number in range(2, 40)]
    morning = at(40, hours=2)
    assert Retention(0, days=7).choose_kept([before, *evening, morning], NOW) == {1, 39, 40}


@given(
    st.lists(st.integers(1, 40 * 24 * 60), min_size=1, max_size=30),
    st.integers(0, 4),
    st.integers(0, 20),
)
def test_what_is_kept_does_not_depend_on_how_often_it_is_looked_at(
    minutes: list[int], generations: int, days: int
) -> None:
    """Deleting after each load, or once at the end, keeps the same generations for the same days."""
    retention = Retention(0, generations, days)
    loads = [GenerationTime(n, NOW - timedelta(minutes=ago)) for n, ago in enumerate(sorted(minutes, reverse=True), 1)]
    there: list[GenerationTime] = []
    for load in loads:
        there.append(load)
        kept = retention.choose_kept(there, load.created_at)
        there = [one for one in there if one.generation in kept]
    at_once = retention.choose_kept(loads, NOW)
    assert retention.choose_kept(there, NOW) == at_once
