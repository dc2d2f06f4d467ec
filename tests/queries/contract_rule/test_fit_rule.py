"""A made-up contract is recovered exactly; noise is not taken for a rule."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.queries.contract_rule.fit_rule import (
    RULE_SHARE,
    find_direction,
    find_nearest,
    fit_candidates,
)
from core.queries.contract_rule.rule_prices import to_cents
from tests.queries.contract_rule.made_up_contracts import count_reproduced, make_contract

PER_MILLE = st.integers(600, 3000).map(lambda n: n / 1000)


@given(seed=st.integers(0, 10**6), multiples=st.lists(PER_MILLE, min_size=3, max_size=3), exceptions=st.integers(0, 48))
def test_a_made_up_contract_is_recovered_exactly(seed: int, multiples: list[float], exceptions: int) -> None:
    contract = make_contract(seed, multiples, exceptions)
    best = fit_candidates(contract.rates, contract.families, contract.amounts)[0]
    assert best.candidate == contract.column
    found = {one.family: one.multiple for one in best.families}
    # Multiples nearer than this give the same cents for nearly all amounts.
    assert found == pytest.approx(contract.multiples, abs=2e-4)
    assert best.explained.sum() == len(contract.rates) - exceptions
    assert best.explained.mean() >= RULE_SHARE


@given(seed=st.integers(0, 10**6), spread=st.floats(0.15, 0.6))
def test_noise_is_no_rule(seed: int, spread: float) -> None:
    contract = make_contract(seed, [1.0, 1.0, 1.0], 0)
    noise = np.exp(np.random.default_rng(seed).normal(0.2, spread, len(contract.rates)))
    rates = np.round(contract.rates * noise, 2)
    best = fit_candidates(rates, contract.families, contract.amounts)[0]
    near = find_nearest(rates, contract.amounts)
    assert best.explained.mean() < RULE_SHARE / 2
    assert not best.is_rule
    assert near is not None
    assert not near.is_near


@given(seed=st.integers(0, 10**6), multiple=PER_MILLE)
def test_a_schedule_that_is_not_among_the_candidates_is_close(seed: int, multiple: float) -> None:
    contract = make_contract(seed, [multiple] * 3, 10)
    others = np.delete(contract.amounts, contract.column, axis=1)
    drifted = np.round(others * np.exp(np.random.default_rng(seed).normal(0, 0.002, others.shape)), 2)
    best = fit_candidates(contract.rates, contract.families, drifted)[0]
    near = find_nearest(contract.rates, drifted)
    assert best.explained.mean() < RULE_SHARE
    assert near is not None
    assert abs(np.median(contract.rates / drifted[:, near.candidate]) / multiple - 1) < 0.02


def test_a_band_around_a_percent_is_no_rule() -> None:
    """Within a tenth of a percent of a multiple, and none to the cent: of $1,000 that is a dollar."""
    amounts = np.round(1_000 * np.exp(np.random.default_rng(2).normal(0, 0.3, (240, 1))), 2)
    rates = np.round(1.2 * amounts[:, 0] + np.tile([0.3, -0.3, 0.2, -0.2], 60), 2)
    (fit,) = fit_candidates(rates, ["surgery"] * 240, amounts)
    assert fit.explained.all()
    assert not fit.is_rule


@given(seed=st.integers(0, 10**6), exceptions=st.integers(0, 80))
def test_the_multiple_reproduces_as_many_rates_as_any_ratio_does(seed: int, exceptions: int) -> None:
    contract = make_contract(seed, [1.18] * 3, exceptions, columns=2)
    amounts = contract.amounts[:, contract.column]
    (fit,) = fit_candidates(contract.rates, ["surgery"] * 240, amounts[:, None])
    slow = max(count_reproduced(contract.rates, amounts, ratio) for ratio in contract.rates / amounts)
    # A ratio is the middle of what one price allows: the best place between prices may reproduce a few more, and the
    # multiple that is exact for the most cents a few fewer.
    assert abs(fit.explained.sum() - slow) <= 3


def test_a_multiple_of_another_conversion_factor_is_the_same_rule() -> None:
    contract = make_contract(7, [1.25] * 3, 0)
    scaled = np.round(contract.amounts[:, [contract.column]] * 33.8872 / 32.7442, 2)
    both = np.hstack([contract.amounts[:, [contract.column]], scaled])
    best, other = fit_candidates(contract.rates, contract.families, both)
    assert (best.candidate, best.multiple) == (0, 1.25)
    assert abs(other.multiple - 1.25 * 32.7442 / 33.8872) < 1e-4
    assert other.explained.all()


def test_half_a_cent_of_a_rule_is_rounded_up() -> None:
    assert to_cents(88.5 * 1.13) == 100.01, "100.005, which binary fractions write as a little less"
    assert (to_cents(2.675), to_cents(-0.125), to_cents(104.5)) == (2.68, -0.13, 104.5)


@pytest.mark.parametrize(
    ("spreads", "direction"),
    [
        ((0.01, 0.02, 0.03), "older"),
        ((0.03, 0.03, 0.01), "newer"),
        ((0.02, 0.01, 0.03), ""),
        ((0.02, 0.02), ""),
        ((0.02, 0.0195), ""),
        ((0.02,), ""),
        ((float("nan"), 0.01), ""),
    ],
)
def test_a_direction_needs_fits_that_get_better_towards_one_end(spreads: tuple[float, ...], direction: str) -> None:
    assert find_direction({f"202{n}-01": spread for n, spread in enumerate(spreads)}) == direction
