"""The families of a made-up contract are recovered exactly, and noise has none."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.queries.contract_rule.family_rules import MAIN_SHARE, find_families, list_families_of_levels
from core.queries.contract_rule.fit_rule import FAMILY_SHARE, MIN_PRICES, Floats
from core.queries.contract_rule.levels_of_release import find_levels_of_releases
from core.queries.contract_rule.priced_rates import CandidateSchedule
from core.queries.contract_rule.rule_rows import RulePrice
from tests.queries.contract_rule.made_up_contracts import AREAS, make_amounts

CANDIDATES = [
    CandidateSchedule("2025-01", state, "1", str(at), name, 32.3465)
    for at, (state, name) in enumerate([("US", "NATIONAL"), *(("GA", f"AREA {at}") for at in range(AREAS))])
]


def _list(rates: Floats, families: Sequence[str], amounts: Floats) -> list[RulePrice]:
    return [
        RulePrice(
            "CPT",
            "",
            "",
            False,
            family,
            float(rate),
            1,
            1,
            float(amount),
            None,
            float(rate / amount),
            None,
            None,
            False,
        )
        for rate, family, amount in zip(rates, families, amounts[:, 1], strict=True)
    ]


@given(
    seed=st.integers(0, 10**6),
    multiple=st.integers(120, 400).map(lambda n: n / 200),
    national=st.booleans(),
)
@pytest.mark.parametrize("kept", [11, 12, 20])
def test_one_family_in_part_is_found_among_noise(kept: int, seed: int, multiple: float, national: bool) -> None:
    random = np.random.default_rng(seed)
    amounts = make_amounts(random, 120)
    families = ["surgery"] * 100 + ["imaging"] * MIN_PRICES
    rates = np.round(amounts[:, 1] * np.exp(random.normal(0.2, 0.4, 120)), 2)
    of_family = amounts[100:, 0 if national else 2]
    rates[100 : 100 + kept] = np.round(multiple * of_family[:kept], 2)
    noise, found = find_families(CANDIDATES, amounts, _list(rates, families, amounts))
    assert (noise.family, noise.multiple, noise.explained, noise.prices) == ("surgery", None, 0, 100)
    # A price or two of the others may be the same percent by chance.
    if kept >= FAMILY_SHARE * MIN_PRICES:
        assert (found.multiple, found.national, found.own) == (multiple, national, True)
        assert kept <= found.explained <= kept + 3
    elif found.explained < FAMILY_SHARE * MIN_PRICES:
        assert found.multiple is None
    ratios = rates[100:] / amounts[100:, 1]
    plausible = [one for one in ratios if 0.5 <= one <= 30]
    assert found.percent_p50 == pytest.approx(np.median(plausible))
    assert found.percent_p25 == pytest.approx(np.quantile(plausible, 0.25))


@given(seed=st.integers(0, 10**6))
def test_each_family_has_the_level_of_most_of_its_prices(seed: int) -> None:
    random = np.random.default_rng(seed)
    amounts = make_amounts(random, 150)
    families = list(random.permutation(["surgery"] * 70 + ["imaging"] * 50 + ["evaluation and management"] * 30))
    which = {"surgery": (0.9, 0.1), "imaging": (0.2, 0.8), "evaluation and management": (0.4, 0.6)}
    level = np.array([int(random.random() > which[one][0]) for one in families])
    rates = np.round(amounts[:, 0] * np.where(level == 0, 1.2, 1.55), 2)
    found = find_levels_of_releases(rates, CANDIDATES, amounts)
    assert found is not None
    levels, priced = found.list_levels(CANDIDATES), found.price(rates)
    rows = list_families_of_levels(levels, priced, _list(rates, families, amounts))
    for row in rows:
        counts = [
            sum(
                family == row.family and abs(rate - one.multiple * amount) < 0.0101 * max(one.multiple, 1)
                for rate, family, amount in zip(rates, families, amounts[:, 0], strict=True)
            )
            for one in levels
        ]
        assert row.explained == max(counts) >= MAIN_SHARE * row.prices
        assert row.multiple == levels[int(np.argmax(counts))].multiple
        assert row.own == (row.multiple != levels[0].multiple)
