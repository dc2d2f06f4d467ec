"""How pages write figures, dates, and names."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

from core.pages import formats
from core.queries.market.latest_files import NOTHING
from core.queries.market.market import Market


@pytest.mark.parametrize(
    ("write", "values", "text"),
    [
        (formats.write_count, (1234567,), "1,234,567"),
        (formats.write_count, (None,), "–"),
        (formats.write_dollars, (1234.5,), "$1,234.50"),
        (formats.write_sum, (9999.5,), "$9,999.50"),
        (formats.write_sum, (656877.5,), "$656,878"),
        (formats.write_sum, (-10000.49,), "−$10,000"),
        (formats.write_sum, (None,), "–"),
        (formats.write_dollars, (0,), "$0.00"),
        (formats.write_dollars, (2.675,), "$2.68"),
        (formats.write_dollars, (-88.245,), "−$88.25"),
        (formats.write_figure, (0.125, "other"), "0.13"),
        (formats.write_percent, (0.1,), "10%"),
        (formats.write_percent, (0.0999,), "10.0%"),
        (formats.write_percent, (0.031,), "3.1%"),
        (formats.write_percent, (30.0,), "3,000%"),
        (formats.write_percent, (None,), "–"),
        (formats.write_share, (0.0001,), "0.01%"),
        (formats.write_share, (0.00009,), "under 0.01%"),
        (formats.write_share, (0,), "0.00%"),
        (formats.write_limit, (0.05,), "5%"),
        (formats.write_limit, (0,), "0%"),
        (formats.write_figure, (62.5, "percentage"), "62.5%"),
        (formats.write_figure, (1950, "per diem"), "$1,950.00 per day"),
        (formats.write_figure, (104, "dollars"), "$104.00"),
        (formats.write_figure, (104, "other"), "104.00"),
        (formats.write_month, ("2025-06",), "June 2025"),
        (formats.write_month, ("",), ""),
        (formats.write_day, ("2025-08-01",), "Aug 1, 2025"),
        (formats.write_day, (date(2025, 12, 31),), "Dec 31, 2025"),
        (formats.write_day, (datetime(2025, 8, 1, 23, 59),), "Aug 1, 2025"),  # noqa: DTZ001
        (formats.write_day, ("soon",), "soon"),
        (formats.write_day, (None,), "–"),
        (formats.write_tin, ("123456789", "ein"), "12-3456789"),
        (formats.write_tin, ("1234567893", "npi"), "1234567893"),
        (formats.write_postal_code, ("303031234",), "30303-1234"),
        (formats.write_filter, ("11", "pos"), "11 Office"),
        (formats.write_filter, ("unstated", "setting"), "not stated"),
        (formats.write_filter, ("2025-08", "year_month"), "August 2025"),
        (formats.write_difference, (0.123,), "12% above"),
        (formats.write_difference, (-0.031,), "3.1% below"),
        (formats.write_difference, (0.0005,), "0.1% above"),
        (formats.write_difference, (0.0004,), "under 0.1% above"),
        (formats.write_difference, (0,), "same"),
        (formats.write_change, (-0.5,), "−50%"),
        (formats.write_change, (0.02,), "+2.0%"),
        (formats.write_change, (0,), "0.0%"),
        (formats.write_moved_by, (-1.5, "percentage"), "−1.5%"),
        (formats.write_moved_by, (2, "dollars"), "+$2.00"),
        (formats.write_rank, (0, 7), "highest of 7"),
        (formats.write_rank, (2, 7, "prices"), "3rd of 7 prices from the top"),
        (formats.write_rank, (2, 7), "3rd of 7 from the top"),
        (formats.write_rank, (6, 7), "7th of 7 from the top"),
        (formats.write_rank, (7, 7), "lower than all 7"),
        (formats.write_points, (10,), "+10.0 points"),
        (formats.write_points, (-1,), "−1.0 point"),
        (formats.write_points, (0.04,), "same"),
        (formats.write_months, (Market("GA", "2025-08"),), "August 2025"),
        (formats.write_months, (Market("CA", "", latest=NOTHING),), "no month loaded"),
    ],
)
def test_each_thing_is_written_in_one_way(write: Callable[..., str], values: tuple[Any, ...], text: str) -> None:
    assert write(*values) == text


def test_a_place_is_what_filters_name_or_the_state() -> None:
    payer, city = ("Payer", "payer", "Evry Health"), ("City", "city", "DALLAS, TX")
    assert formats.write_place("TX", [payer]) == "Texas"
    assert formats.write_place("TX", [payer, city]) == "Dallas, TX"
    assert formats.write_place("TX", [("ZIP code", "zip", "75201")]) == "ZIP code 75201"
    assert formats.write_place("TX", [("Near", "near", "75201,25")]) == "the area within 25 miles of 75201"
    county = ("County", "county", "Dallas County, TX")
    assert formats.write_place("TX", [county, city]) == "Dallas County, TX and Dallas, TX"


def test_a_sentence_has_one_period() -> None:
    assert formats.end_sentence("payer Example, Inc.") == "payer Example, Inc."
    assert formats.end_sentence("payer Example") == "payer Example."


def test_an_npi_that_is_billed_under_is_not_called_a_tax_id() -> None:
    assert formats.name_tin("1013133016", "npi") == "billing NPI 1013133016"
    assert formats.name_tin("1013133016") == "billing NPI 1013133016", "an EIN has nine digits"
    assert formats.name_tin("300706634") == formats.name_tin("300706634", "ein") == "tax ID 30-0706634"
    assert formats.name_tin("9013133016", "npi") == "tax ID 9013133016", "no NPI begins with a nine"
    assert formats.name_tin("1013133016", "ein") == "tax ID 1013133016"
