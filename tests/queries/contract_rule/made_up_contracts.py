"""Made-up schedules and contracts, and the slow, obvious search for a multiple."""

from dataclasses import dataclass

import numpy as np

from core.queries.contract_rule.fit_rule import CENT, RELATIVE_TOLERANCE, Floats

AREAS = 4
BASES = [[0], list(range(1, 1 + AREAS))]
"""A fee schedule of national amounts (column 0), and of areas."""

FAMILIES = ("surgery", "imaging", "evaluation and management")


@dataclass(frozen=True)
class MadeUpContract:
    """Rates that are a multiple of one column of `amounts` for each family, rounded to cents, but for exceptions."""

    amounts: Floats
    families: list[str]
    rates: Floats
    column: int
    multiples: dict[str, float]
    exceptions: int


def make_contract(
    seed: int, multiples: list[float], exceptions: int, prices: int = 240, columns: int = 9
) -> MadeUpContract:
    """Return a contract over a random schedule whose columns differ by a few percent, as years and localities do."""
    random = np.random.default_rng(seed)
    base = np.exp(random.normal(4.5, 1.0, (prices, 1)))
    amounts = np.round(base * np.exp(random.normal(0, 0.03, (prices, columns))), 2)
    # The first family has half of the services: its multiple is that of all.
    families = [FAMILIES[0] if n % 2 else FAMILIES[1 + n // 2 % 2] for n in range(prices)]
    by_family = dict(zip(FAMILIES, multiples, strict=True))
    column = int(random.integers(columns))
    rates = np.round(amounts[:, column] * np.array([by_family[one] for one in families]), 2)
    off = random.permutation(prices)[:exceptions]
    rates[off] = np.round(rates[off] * 1.37 + 1, 2)
    return MadeUpContract(amounts, families, rates, column, by_family, exceptions)


def count_reproduced(rates: Floats, amounts: Floats, multiple: float) -> int:
    """Return how many rates a multiple reproduces, one at a time."""
    return sum(
        abs(rate - multiple * amount) <= max(CENT, RELATIVE_TOLERANCE * rate) + 1e-9
        for rate, amount in zip(rates, amounts, strict=True)
    )


def make_amounts(random: np.random.Generator, prices: int) -> Floats:
    """Return national amounts of 20 dollars and more, and those of areas, which differ by a few percent."""
    national = 20 + np.exp(random.normal(4.5, 1.0, (prices, 1)))
    areas = national * np.exp(random.normal(0, 0.03, (prices, AREAS)))
    return np.round(np.hstack([national, areas]), 2)
