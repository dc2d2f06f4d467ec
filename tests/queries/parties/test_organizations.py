"""Organizations of a market, at the edges."""

from pathlib import Path

from core.queries.parties import organizations
from core.queries.parties.shared_contracts import list_contracts
from tests.queries.one_market import MARKET, store_of_market, with_fee


def test_there_is_no_difference_from_a_middle_organization_of_zero(tmp_path: Path) -> None:
    zeros = [{"group": group, "negotiated_rate": 0.0} for group in (1, 3)]
    db = store_of_market(tmp_path, {"negotiated_rate": 10.0}, *zeros)
    assert organizations.count_totals(db, MARKET).middle == 0
    found = organizations.list_organizations(db, MARKET, "p50", 9, 0)
    assert [(row.p50, row.difference) for row in found] == [(0, None), (0, None), (10, None)]


def test_the_difference_is_from_the_middle_organization(tmp_path: Path) -> None:
    """A rate of nobody's tax ID counts for the middle rate, and so do two of one organization; not here."""
    db = store_of_market(
        tmp_path,
        {"negotiated_rate": 12.0},
        {"group": 1},
        {"group": 1},
        {"group": 2},
        {"group": 3, "negotiated_rate": 15.0},
    )
    assert (organizations.count_totals(db, MARKET).median, organizations.count_totals(db, MARKET).middle) == (10, 12)
    found = organizations.list_organizations(db, MARKET, "-p50", 9, 0)
    assert [(row.p50, row.difference) for row in found] == [(15, 15 / 12 - 1), (12, 0), (10, 10 / 12 - 1)]


def test_groups_without_a_tax_id_are_counted_and_not_listed(tmp_path: Path) -> None:
    db = store_of_market(
        tmp_path, {}, {"group": 2}, {"group": 2, "negotiated_rate": 5.0}, {"negotiated_type": "per diem"}
    )
    totals = organizations.count_totals(db, MARKET)
    assert (totals.organizations, totals.dollars, totals.without_tin, totals.other_kinds) == (1, 3, 2, 1)
    (only,) = organizations.list_organizations(db, MARKET, "rates", 9, 0)
    assert (only.tin_value, only.share, only.rank, only.npis) == ("100000001", 1 / 2, 1, 0)


def test_each_organization_counts_once_in_the_quartiles(tmp_path: Path) -> None:
    """One with many rates is one organization: the market's median, of rates, may be quite another."""
    many = [{"negotiated_rate": 10.0 + number} for number in range(9)]
    db = store_of_market(tmp_path, *many, {"group": 1, "negotiated_rate": 50.0})
    rows = organizations.list_organizations(db, MARKET, "p50", 9, 0)
    paid = [row.p50 for row in rows]
    assert len(paid) == 2
    totals = organizations.count_totals(db, MARKET)
    assert paid == [14, 50]
    # Each of them is a price: the middle one of two is the lower one.
    assert (totals.low, totals.middle, totals.high) == (14, 14, 50)
    assert totals.median == 14.5


def test_a_price_is_one_of_a_contract(tmp_path: Path) -> None:
    """The lower of two in the middle, without likely errors: 12.88 beside 464.83 is an error of the file."""
    others = [{"group": 1, "negotiated_rate": 400.0 + number} for number in range(9)]
    odd = [{"negotiated_rate": one} for one in (12.88, 464.83)]
    alone = {"group": 3, "negotiated_rate": 9000.0}
    db = with_fee(store_of_market(tmp_path, *others, *odd, alone), 250.0)
    totals = organizations.count_totals(db, MARKET)
    paid = {row.tin_value: (row.price, row.p50) for row in organizations.list_organizations(db, MARKET, "p50", 9, 0)}
    assert paid["100000001"] == (464.83, 464.83)
    assert paid["100000003"] == (9000.0, 9000.0), "nothing better is known than its only price"
    assert (totals.low, totals.middle, totals.high) == (404, 404, 464.83), "of those whose price can be meant"
    assert totals.median == 404.5
    (contract,) = [row for row in list_contracts(db, MARKET, "p50", 9, 0).rows if row.tin_value == "100000001"]
    assert (contract.p50, contract.lowest, contract.highest) == (464.83, 464.83, 464.83)
    assert (contract.p10, contract.p25, contract.p75, contract.p90) == (464.83,) * 4, "its bar has what its price has"


def test_the_price_of_a_contract_is_inside_its_bar(tmp_path: Path) -> None:
    """Of two rates, the price is the lower one: interpolated quartiles would both be above it."""
    db = store_of_market(tmp_path, {"negotiated_rate": 40.0}, {"negotiated_rate": 90.0})
    (contract,) = list_contracts(db, MARKET, "p50", 9, 0).rows
    bar = (contract.p10, contract.p25, contract.p50, contract.p75, contract.p90)
    assert bar == (40.0, 40.0, 40.0, 90.0, 90.0)


def test_without_an_organization_there_are_no_quartiles(tmp_path: Path) -> None:
    totals = organizations.count_totals(store_of_market(tmp_path, {"group": 2}), MARKET)
    assert (totals.organizations, totals.low, totals.middle, totals.high) == (0, None, None, None)
