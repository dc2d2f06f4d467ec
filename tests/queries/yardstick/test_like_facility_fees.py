"""Which prices of a payer whose label is overruled may be a facility's own fee, against a loop over its rates."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from core.quality.fit_record import update_fits
from core.queries.market.market import Market
from core.queries.market.market_filters import OF_COMPENSATION
from core.queries.market.market_rates import market_cache
from core.queries.yardstick.like_facility_fees import list_like_facility_fees
from core.queries.yardstick.medicare_amounts import find_amounts
from core.store.connection import Snapshot
from core.store.generations.store import Store
from tests.quality.fitted_rates import CODES, PHYSICIANS, amounts, rates_of, schedules, store_with
from tests.site import Visitor, serving, text_of
from tests.stores import open_snapshot

CODE, WITHOUT_OPPS, OF_HOSPITALS = CODES[0], CODES[1], CODES[2]
HOSPITALS = {code: amount for code, amount in amounts(2).items() if code != WITHOUT_OPPS}
HOSPITALS |= {CODE: 3.5 * PHYSICIANS[CODE], OF_HOSPITALS: 4 * PHYSICIANS[OF_HOSPITALS]}
MULTIPLES = {CODE: (1.2, 2.9, 3.1, 5.2, 8.7, 8.8), OF_HOSPITALS: (3.1, 3.3)}
"""Of the physician fee schedule. From 2.8 to 8.75, those of the first code are 80% to 250% of OPPS; those of the other,
from 3.2 on."""

MARKET = Market("GA", "2025-06", "CPT", CODE)


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    rates = rates_of(PHYSICIANS, 1.28, 0.3, billing_class="institutional", places=[])
    (one,) = [rate for rate in rates if rate["code"] == CODE]
    for code, every in MULTIPLES.items():
        rates += [{**one, "code": code, "negotiated_rate": PHYSICIANS[code] * times} for times in every]
    rates += [{**one, "code": WITHOUT_OPPS, "negotiated_rate": PHYSICIANS[WITHOUT_OPPS] * 5}]
    # A payer whose label is right has a rate of the same amount.
    right = {"billing_class": "professional", "places": ["11"], "reporting_entity_name": "Other Payer"}
    rates += [{**one, **right, "negotiated_rate": PHYSICIANS[CODE] * 5.2}]
    names = {"example_payer": "Example Payer", "other_payer": "Other Payer"}
    written = store_with(
        tmp_path_factory.mktemp("like facilities"),
        rates,
        schedules(hospitals=HOSPITALS),
        dim_payer_bridge=[{"reporting_entity_name_raw": name, "payer_slug": slug} for slug, name in names.items()],
        dim_reporting_entity=[{"reporting_entity_name": name, "payer_slug": slug} for slug, name in names.items()],
        dim_code=[{"code_type": "CPT", "code": CODE, "name": CODE}],
        dim_batch=[
            {"batch_id": slug, "state": "GA", "year_month": "2025-06", "reporting_entity_name": name,
             "payer_slug": slug, "rows_added": 1}
            for slug, name in names.items()
        ],
    )  # fmt: skip
    update_fits(Store(written.root), written)
    return open_snapshot(Store(written.root))


def list_slowly(code: str, prices: Sequence[float]) -> list[tuple[float, float, float]]:
    found = []
    for times in sorted(MULTIPLES[code], reverse=True):
        rate = PHYSICIANS[code] * times
        of_opps = rate / HOSPITALS[code]
        if rate in prices and times > 3 and 0.8 <= of_opps <= 2.5:
            found.append((rate, times, of_opps))
    return found


@pytest.mark.parametrize(("code", "expected"), [(CODE, [8.7, 5.2, 3.1]), (OF_HOSPITALS, [3.3])])
def test_a_price_far_above_physicians_and_like_a_hospital_s_is_named(
    db: Snapshot, code: str, expected: list[float]
) -> None:
    market = replace(MARKET, code=code)
    every = [PHYSICIANS[code] * times for times in MULTIPLES[code]]
    assert [times for _, times, _ in list_slowly(code, every)] == expected
    for prices in (every, every[1:2], []):
        found = list_like_facility_fees(db, market, prices)
        figures = [(one.negotiated_rate, one.percent, one.percent_of_opps) for one in found]
        assert figures == [pytest.approx(row) for row in list_slowly(code, prices)]
        assert {(one.payer_slug, one.reporting_entity_name, one.rates) for one in found} <= {
            ("example_payer", "Example Payer", 1)
        }
        with market_cache(db, market) as cached:
            assert list_like_facility_fees(cached, market, prices, find_amounts(cached, market)) == found


def test_nothing_is_named_that_opps_does_not_pay_or_that_a_visitor_measures_otherwise(db: Snapshot) -> None:
    price = PHYSICIANS[WITHOUT_OPPS] * 5
    assert list_like_facility_fees(db, replace(MARKET, code=WITHOUT_OPPS), [price]) == []
    prices = [PHYSICIANS[CODE] * 5.2]
    assert list_like_facility_fees(db, replace(MARKET, basis="opps"), prices) == []
    assert list_like_facility_fees(db, replace(MARKET, yardstick=OF_COMPENSATION), prices) == []
    assert list_like_facility_fees(db, replace(MARKET, payer="other_payer"), prices) == []


def test_pages_say_so_beside_the_figure_and_only_of_a_figure(db: Snapshot) -> None:
    # The middle one of the payer's rates is 3.1 times. Two higher ones are no figure.
    query = {"state": "GA", "year_month": "2025-06", "code_type": "CPT", "code": CODE, "payer": "example_payer"}
    with serving(Path(db.root)):
        shown = {page: text_of(Visitor().get(page, query)) for page in ("/rates/", "/payers/", "/report/")}
    for page, text in shown.items():
        assert "may be a facility’s own fee" in text, page
        assert text.count("may be a facility’s own fee") == 1, page
