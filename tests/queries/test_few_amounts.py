"""The amounts of a few rates, which are known from their percentiles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.queries.code_answer import MAX_LISTED, AnswerSpread

_CENTS = st.integers(min_value=1, max_value=10_000_000)


@given(st.lists(_CENTS, min_size=1, max_size=8))
def test_a_few_amounts_are_the_rates_themselves(cents: list[int]) -> None:
    amounts = sorted(number / 100 for number in cents)
    p10, p25, p50, p75, p90 = (float(one) for one in np.percentile(amounts, [10, 25, 50, 75, 90]))
    row = AnswerSpread(
        reporting_entity_name=None,
        payer_slug=None,
        billing_class=None,
        modifier="",
        rates=len(amounts),
        lowest=amounts[0],
        p10=p10,
        p25=p25,
        p50=p50,
        p75=p75,
        p90=p90,
        highest=amounts[-1],
        mean=float(np.mean(amounts)),
        compared=0,
        percent_p50=None,
        left_out=0,
        implausible=0,
        far_from_others=0,
        plausible_lowest=amounts[0],
        plausible_highest=amounts[-1],
        plausible_mean=float(np.mean(amounts)),
    )
    expected = amounts if len(amounts) <= MAX_LISTED else []
    assert row.few_amounts == pytest.approx(expected, abs=1e-5)
