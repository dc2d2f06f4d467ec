"""The pairs of months that can be compared, beside a slow search of the newest."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from core.queries.coverage import Coverage
from core.queries.over_time.comparable_months import list_comparable_months

_NOW = datetime(2025, 9, 1, tzinfo=UTC)
_MONTHS = ("2025-01", "2025-03", "2025-06", "2025-11")
_ROWS = st.dictionaries(
    st.tuples(st.sampled_from(("GA", "TX")), st.sampled_from(_MONTHS), st.sampled_from("abc")),
    st.integers(min_value=0, max_value=3),
)


@given(_ROWS, st.sampled_from(("", *_MONTHS)), st.sampled_from(("", *_MONTHS)))
def test_the_newest_months_that_a_payer_has_are_first(
    rates: dict[tuple[str, str, str], int], later: str, earlier: str
) -> None:
    loaded = [
        Coverage(state, month, payer.upper(), payer, 1, number, _NOW) for (state, month, payer), number in rates.items()
    ]
    found = list_comparable_months(loaded, later, earlier)
    expected = {
        (state, after, before, payer)
        for state, after, payer in rates
        for before in _MONTHS
        if before < after and rates[state, after, payer] and rates.get((state, before, payer))
        if later in {"", after} and earlier in {"", before}
    }
    assert {(one.state, one.later, one.earlier, one.payer_slug) for one in found} == expected
    assert len(found) == len(expected)
    if found:
        assert (found[0].later, found[0].earlier) == max((after, before) for _, after, before, _ in expected)
