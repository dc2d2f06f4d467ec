"""The contract with most organizations: where it has more than half of them, its price is the middle one.

Counted by organizations, a contract of 128 tax IDs outvotes five others. As on the tab Organizations, a contract is the
organizations whose rates are of the same provider groups.
"""

CONTRACT_OF_TIN = "bit_xor(DISTINCT hash(pg_uid))"
"""SQL of a number of a tax ID's contract, from its rates: equal for those with the same provider groups."""

LARGEST_CONTRACT = "coalesce(list_max(map_values(histogram(contract))), 0)::BIGINT"
"""SQL of the number of organizations of the contract with most of them, of organizations with a `contract`."""


def is_mostly_one(one_contract: int | None, organizations: int | None) -> bool:
    """Return whether one contract has several of the organizations, and more than half of them."""
    largest = one_contract or 0
    return largest > 1 and 2 * largest > (organizations or 0)
