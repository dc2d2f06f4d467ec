"""Pages, the API, and Python compare in the providers' own areas, and with the state's mean if they are asked to."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client

from core.pages.formats import write_amount_area
from core.pages.worked_questions import work_questions
from core.python_api.rate_store import open_store
from core.queries.market.market import Market
from tests.queries.comparison.area_stores import QUERY, SCHEDULES, VISIT, store_of_areas
from tests.site import Visitor, serving, text_of


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store of a rate in Atlanta, and one of a group whose area is not known."""
    directory = tmp_path_factory.mktemp("areas")
    store_of_areas(directory, [VISIT | {"group": 0}, VISIT | {"group": 5}], SCHEDULES)
    return directory


@pytest.fixture
def visitor(root: Path) -> Iterator[Client]:
    with serving(root):
        yield Visitor()


def test_the_page_says_where_each_amount_applies_and_lets_one_switch(visitor: Client) -> None:
    own = visitor.get(f"/medicare/?{QUERY}")
    shown = text_of(own)
    assert "1 of these rates is compared with the amount of their provider’s own payment locality" in shown
    assert re.search(r"ATLANTA \(10212-01\) ?, where the mean of the state is 11% below", shown)
    assert shown.count("off by up to 12% in some areas") == 1, "once for all rates"
    assert "Medicare amounts: release of January 2025." in shown
    assert "status A" not in shown, "that it is paid, as nearly all services are"
    assert "Use the mean of the state for all" in shown
    by_state = text_of(visitor.get(f"/medicare/?{QUERY}&area=state"))
    assert "Amounts are means over Georgia." in by_state
    assert "Use the amounts of the providers’ own areas where they are known" in by_state
    assert "ATLANTA" not in by_state


def test_the_rates_page_compares_each_rate_in_its_own_area(visitor: Client) -> None:
    own, by_state = (visitor.get(f"/rates/?{QUERY}{area}").content.decode() for area in ("", "&area=state"))
    assert "Physician fee outside facilities: $90.00" in own
    assert "Physician fee outside facilities: $80.00" in own
    assert "Physician fee outside facilities: $90.00" not in by_state


def test_an_amount_that_is_the_mean_of_the_state_says_so(visitor: Client) -> None:
    """One of the two rates is compared with $90 of its own area, the other with the state's $80."""
    for page in ("rates", "report"):
        for area in ("", "&area=state"):
            shown = text_of(visitor.get(f"/{page}/?{QUERY}{area}")).replace(" ,", ",").replace(" )", ")")
            assert re.search(
                r"% of Medicare \(2025 physician fee outside facilities, \$80.00, the mean of Georgia[;)]", shown
            )
            assert shown.count("each rate is compared in its own area") == (not area)
    assert "Physician fee outside facilities, the mean of Georgia $80.00 2" in text_of(visitor.get(f"/rates/?{QUERY}"))
    assert "physician fee outside facilities $80.00, the mean of Georgia" in text_of(visitor.get(f"/report/?{QUERY}"))
    [line] = visitor.get(f"/api/v1/rates/histogram?{QUERY}").json()["amounts"]
    assert (line["amount"], line["area"]) == (80.0, "state mean")
    # A schedule without areas has one amount in the nation.
    assert write_amount_area(None, "GA") == ""
    assert write_amount_area("state, not rural", "GA") == "Georgia outside rural areas"


def test_the_api_and_python_take_the_same_parameter(visitor: Client, root: Path) -> None:
    def amounts(more: str) -> list[tuple[float, str]]:
        rows = visitor.get(f"/api/v1/medicare?{QUERY}{more}").json()["rows"]
        return sorted((row["medicare"], row["area"]) for row in rows)

    assert amounts("") == [(80.0, "state mean"), (90.0, "ATLANTA (10212-01)")]
    assert amounts("&area=state") == [(80.0, "state mean")] * 2
    assert visitor.get(f"/api/v1/medicare?{QUERY}&area=county").status_code == 400
    store = open_store(root)
    for area, expected in (("own", [80.0, 90.0]), ("state", [80.0, 80.0])):
        assert sorted(store.medicare("GA", "2025-06", "99213", area=area)["medicare"]) == expected


def test_the_first_page_and_the_page_of_the_code_have_one_percent(tmp_path: Path) -> None:
    """In a state of two localities, the percent of each rate is in its own."""
    codes = ("73721", "99213", "45378")
    rates = [VISIT | {"code": code, "group": group} for code in codes for group in (0, 0, 1)]
    schedules = {name: [row | {"code": code} for row in rows for code in codes] for name, rows in SCHEDULES.items()}
    db = store_of_areas(tmp_path, rates, schedules)
    market = Market("GA", "2025-06")
    about_medicare = next(one for one in work_questions(db, market) if "compare with Medicare" in one.question)
    # Two of three rates are in a locality of $90; the mean of the state is $80.
    assert about_medicare.answer.startswith("111% of what Medicare pays")
    with serving(tmp_path):
        said = text_of(Visitor().get(about_medicare.address))
    mean = "$80.00, the mean of Georgia; each rate is compared in its own area, where that is known"
    assert f"111% of Medicare (2025 physician fee outside facilities, {mean})" in said.replace(" ,", ",").replace(
        " )", ")"
    )
