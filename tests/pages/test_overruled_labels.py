"""What pages, the API and notebooks say of a payer whose labels are overruled, and how one chooses another schedule."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

import beaconpoint
from core.pages.formats import write_dollars
from core.quality.fit_record import update_fits
from core.queries.rules.market import Market
from core.queries.yardstick.label_fits import OverruledLabel, list_overruled_labels
from core.runtime.errors import BeaconError
from core.store.generations.store import Store
from tests.quality.fitted_rates import HOSPITALS, PHYSICIANS, rates_of, store_with
from tests.site import Visitor, serving, text_of
from tests.stores import open_snapshot

QUERY = {"state": "GA", "year_month": "2025-06"}
CODE = next(iter(PHYSICIANS))


@pytest.fixture(scope="module")
def mislabeled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store whose payer labels physicians' rates institutional."""
    rates = rates_of(PHYSICIANS, 1.28, 0.3, billing_class="institutional", places=[])
    payer = {"reporting_entity_name_raw": "Example Payer", "payer_slug": "example_payer"}
    db = store_with(
        tmp_path_factory.mktemp("mislabeled"), rates,
        dim_payer_bridge=[payer],
        dim_code=[{"code_type": "CPT", "code": code, "name": code} for code in PHYSICIANS],
        dim_batch=[
            {"batch_id": "b", "state": "GA", "year_month": "2025-06", "reporting_entity_name": "Example Payer",
             "payer_slug": "example_payer", "rows_added": len(rates)},
        ],
    )  # fmt: skip
    update_fits(Store(db.root), db)
    return db.root


@pytest.fixture
def site(mislabeled: Path) -> Iterator[Client]:
    with serving(mislabeled):
        yield Visitor()


@pytest.fixture
def label(mislabeled: Path) -> OverruledLabel:
    (found,) = list_overruled_labels(open_snapshot(Store(mislabeled)), Market("GA", "2025-06"))
    return found


def test_a_page_says_so_and_offers_the_other_schedule(site: Client, label: OverruledLabel) -> None:
    response = site.get("/medicare/", QUERY)
    shown = text_of(response)
    assert label.sentence in shown
    assert "Compare with OPPS instead" in shown
    assert "basis=opps" in response.content.decode()
    assert "MPFS non-facility" in shown
    assert "the rates of this payer fit this schedule" in shown
    # The answer on top does not call a physician's fee a facility's bill.
    for page in ("/rates/", "/report/"):
        of_code = text_of(site.get(page, {**QUERY, "code_type": "CPT", "code": CODE}))
        assert "labeled institutional but in line with physicians’ fees" in of_code
        assert label.sentence in of_code
        assert "a facility’s bill" not in of_code


def test_a_visitor_compares_with_the_schedule_that_he_asks_for(site: Client, label: OverruledLabel) -> None:
    response = site.get("/medicare/", QUERY | {"basis": "opps"})
    shown = text_of(response)
    assert label.sentence not in shown
    assert "All rates are compared with OPPS, whatever billing class they state." in shown
    assert "MPFS non-facility" not in shown
    assert "Medicare schedule: OPPS ✕" in shown
    assert site.get("/medicare/", QUERY | {"basis": "clfs"}).status_code == 400


def test_the_rates_of_a_code_have_the_amount_that_is_asked_for(site: Client) -> None:
    code = {"code_type": "CPT", "code": CODE}
    for basis, amount in (("", PHYSICIANS[CODE]), ("mpfs", PHYSICIANS[CODE]), ("opps", HOSPITALS[CODE])):
        answer = site.get("/api/v1/medicare", QUERY | code | ({"basis": basis} if basis else {})).json()
        (row,) = answer["rows"]
        assert row["medicare"] == pytest.approx(amount)
        assert row["rule"] == ("visitor" if basis else "fit")
        assert answer["market"]["basis"] == (basis or None)
        assert write_dollars(amount) in text_of(site.get("/rates/", QUERY | code | {"basis": basis}, follow=True))


def test_the_api_lists_the_evidence(site: Client, label: OverruledLabel) -> None:
    (row,) = site.get("/api/v1/medicare/labels", QUERY).json()["rows"]
    assert row == vars(label)
    assert site.get("/api/v1/medicare/labels", QUERY | {"payer": "another"}).json()["rows"] == []
    assert site.get("/api/v1/medicare", QUERY | {"basis": "clfs"}).status_code == 400
    assert site.get("/api/v1/organizations", QUERY | {"code": CODE, "basis": "opps"}).status_code == 400


def test_a_notebook_asks_for_a_schedule_and_for_the_evidence(mislabeled: Path, label: OverruledLabel) -> None:
    store = beaconpoint.open_store(mislabeled)
    assert store.overruled_labels("GA", "2025-06").rows(named=True) == [vars(label)]
    assert store.overruled_labels("GA", "2025-06", payer="Another").is_empty()
    amounts = {
        basis: store.medicare("GA", "2025-06", CODE, basis=basis)["medicare"].to_list() for basis in ("OPPS", "mpfs")
    }
    assert amounts == {"OPPS": [HOSPITALS[CODE]], "mpfs": [PHYSICIANS[CODE]]}
    with pytest.raises(BeaconError, match="basis: 'x' is unknown; expected one of mpfs, opps, asc"):
        store.medicare("GA", "2025-06", CODE, basis="x")
