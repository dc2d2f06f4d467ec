"""The page of a provider group, its files, the API, and Python."""

import re
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from django.test import Client

from core.fields.codes.accompanying_code import is_accompanying
from core.pages.formats import write_tin
from core.python_api.rate_store import open_store
from core.queries.market.market import Market
from core.queries.parties import groups
from core.queries.rates import list_rates
from core.queries.rates_against_medicare import list_against_medicare
from core.store.connection import Snapshot
from core.store.generations.store import Store
from core.vocabulary.baskets import named_baskets
from core.vocabulary.services import FAMILIAR_CODES, plain_names
from tests.fixture_types import Load
from tests.queries.one_market import A_RATE, MARKET
from tests.queries.rates_by_month import store_of
from tests.queries.tables import written
from tests.reference.nppes import registers
from tests.site import Visitor, csv_rows, serving, tables, text_of
from tests.stores import open_snapshot


def test_a_group_has_all_its_members(site: Client, demo: Snapshot) -> None:
    """Compare the page, its files, the API, and Python with the tables."""
    pg_uid, payer, month = demo.rows(
        """SELECT pg_uid, payer_slug, year_month FROM xref_group_npi GROUP BY ALL ORDER BY count(*) DESC, 1 LIMIT 1"""
    )[0]
    npis = {row[0] for row in demo.rows("SELECT npi FROM xref_group_npi WHERE pg_uid = ?", [pg_uid])}
    tins = {row[0] for row in demo.rows("SELECT tin_value FROM xref_group_tin WHERE pg_uid = ?", [pg_uid])}
    ((rates, codes),) = demo.rows(
        "SELECT count(*), count(DISTINCT (code_type, code)) FROM fact_rate WHERE pg_uid = ?", [pg_uid]
    )
    ((batch,),) = demo.rows("SELECT batch_id FROM dim_provider_group WHERE pg_uid = ?", [pg_uid])
    plans = {row[0] for row in demo.rows("SELECT plan_key FROM plan_file WHERE batch_id = ?", [batch])}
    files = {row[0] for row in demo.rows("SELECT source FROM dim_batch WHERE batch_id = ?", [batch])}
    found = groups.find_group(demo, pg_uid)
    assert found is not None
    assert (found.npis, found.tins, found.rates, found.codes) == (len(npis), len(tins), rates, codes)
    assert (found.plans, found.payer_slug, found.year_month) == (len(plans), payer, month)

    address = f"/groups/{pg_uid}/"
    text = text_of(site.get(address))
    assert (
        f"The {rates:,} rates of this group, for {codes} codes, apply to {len(npis)} NPIs under {len(tins)} tax ID"
        in text
    )
    assert all(npi in text for npi in sorted(npis)[:10])
    everything = csv_rows(site.get(address, {"format": "csv"}))
    of_kind = {
        kind: {row["value"] for row in everything if row["kind"] == kind} for kind in ("npi", "tax id", "plan", "file")
    }
    assert of_kind == {"npi": npis, "tax id": tins, "plan": plans, "file": files}
    assert {row["value"] for row in everything if row["kind"] == "network"} == set(found.networks)
    for table, column, expected in (
        ("npis", "npi", npis),
        ("tins", "tin_value", tins),
        ("plans", "plan_key", plans),
        ("files", "source", files),
    ):
        rows = csv_rows(site.get(address, {"format": "csv", "table": table}))
        assert {row[column] for row in rows} == expected, table
    of_api = site.get(f"/api/v1/groups/{pg_uid}").json()
    assert of_api["group"]["npis"] == len(npis)
    assert {row["npi"] for row in site.get(f"/api/v1/groups/{pg_uid}/npis?limit=1000").json()["rows"]} == npis
    assert {row["tin_value"] for row in site.get(f"/api/v1/groups/{pg_uid}/tins").json()["rows"]} == tins
    assert {row["plan_key"] for row in site.get(f"/api/v1/groups/{pg_uid}/plans").json()["rows"]} == plans
    in_python = open_store(demo.root)
    assert in_python.provider_group(pg_uid)["npis"].to_list() == [len(npis)]
    assert in_python.group_members(pg_uid).height == len(everything)


def test_a_group_is_called_by_whose_it_is(site: Client, demo: Snapshot) -> None:
    """The name of the first tax ID of those with a name, found the slow way."""
    groups_of = demo.rows("SELECT pg_uid, count(*) FROM xref_group_tin GROUP BY 1 ORDER BY 2 DESC, 1")
    for pg_uid, members in (groups_of[0], groups_of[-1]):
        tins = set(demo.rows("SELECT tin_type, tin_value FROM xref_group_tin WHERE pg_uid = ?", [pg_uid]))
        names = {
            (kind, tin): name
            for kind, tin, name in demo.rows("SELECT tin_type, tin_value, business_name FROM named_tin")
        }
        first = min(tins, key=lambda one: (names.get(one) is None, one[1], one[0]))
        title = names.get(first) or f"Tax ID {write_tin(first[1], first[0])}"
        raw, payer = demo.rows(
            """SELECT provider_group_id_raw, reporting_entity_name FROM dim_provider_group
               JOIN dim_reporting_entity USING (payer_slug) WHERE pg_uid = ?""", [pg_uid],
        )[0]  # fmt: skip
        page = site.get(f"/groups/{pg_uid}/")
        heading = page.content.decode().split("<h1>")[1].split("</h1>")[0]
        assert title in unescape(heading)
        assert (f"and {members - 1} other tax ID" in heading) == (members > 1)
        assert raw not in heading
        assert f"key of the group: {raw[:40]}" in text_of(page)
        assert f"Provider group of {payer}" in text_of(page)


def test_rates_lead_to_their_group(site: Client, demo: Snapshot) -> None:
    page = site.get("/rates/", {"state": "GA", "code": "99213", "code_type": "CPT"})
    ((pg_uid,),) = demo.rows("SELECT min(pg_uid) FROM fact_rate WHERE code = '99213' AND year_month = '2025-08'")
    assert 'href="/groups/' in page.content.decode()
    assert site.get(f"/groups/{pg_uid}/").status_code == 200


def test_an_unknown_group_is_not_found(site: Client) -> None:
    response = site.get(f"/groups/{'0' * 32}/")
    assert response.status_code == 404
    assert "Provider group not found" in text_of(response)
    assert site.get(f"/api/v1/groups/{'0' * 32}").status_code == 404
    assert site.get("/api/v1/groups/nonsense").status_code == 400


def test_a_group_shows_its_rates_by_code(site: Client, demo: Snapshot) -> None:
    """Compare the page of a group with more rates than one page has, and its file, with the facts."""
    pg_uid, number = demo.rows("SELECT pg_uid, count(*) FROM fact_rate GROUP BY pg_uid ORDER BY 2 DESC, 1 LIMIT 1")[0]
    facts = demo.rows(
        "SELECT code_type, code, negotiated_rate FROM fact_rate WHERE pg_uid = ? ORDER BY code_type, code", [pg_uid]
    )
    listed = csv_rows(site.get(f"/groups/{pg_uid}/", {"format": "csv", "table": "rates"}))
    assert sorted((row["code_type"], row["code"], float(row["negotiated_rate"])) for row in listed) == sorted(facts)
    shown: list[str] = []
    for page in range(1, -(-number // 50) + 1):
        response = site.get(f"/groups/{pg_uid}/", {"page": page} if page > 1 else {})
        shown += [row[0] for row in tables(response)[0][1:]]
        links = re.findall(r'href="(/rates/[^"]+)"', response.content.decode())
        assert {"payer", "code", "state"} <= set(parse_qs(urlsplit(unescape(links[0])).query))
    numbers = [name.split()[1] for name in shown]
    assert sorted(numbers) == sorted(code for _, code, _ in facts)
    familiar = [code for code in FAMILIAR_CODES if code in set(numbers)]
    assert list(dict.fromkeys(numbers))[: len(familiar)] == familiar
    others = [code for code in dict.fromkeys(numbers) if not is_asked(code)]
    assert others == sorted(others, key=lambda code: (is_accompanying("CPT", code), code))


def is_asked(code: str) -> bool:
    """Return whether a code has a place of its own in a list that begins with what people ask for."""
    in_baskets = {code for basket in named_baskets().values() for code in basket.codes}
    return code in in_baskets or code in {number for _, number in plain_names()}


def test_a_group_in_two_states_shows_the_rates_of_one(store: Store, load: Load) -> None:
    """A file that is not divided by state has each rate in each state: its rates are not counted twice."""
    file = registers.rates()
    for state in ("GA", "TX"):
        load(file, state)
    db = open_snapshot(store)
    ((pg_uid, rates),) = db.rows("SELECT pg_uid, count(*) FROM fact_rate GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 1")
    with serving(store.root):
        pages = {state: Visitor().get(f"/groups/{pg_uid}/", {"state": state}) for state in ("GA", "TX")}
        first = Visitor().get(f"/groups/{pg_uid}/")
        listed = csv_rows(Visitor().get(f"/groups/{pg_uid}/", {"format": "csv", "table": "rates"}))
    of_each = rates // 2
    assert len(listed) == rates
    assert f"The {of_each} rate" in text_of(first).replace("  ", " ")
    assert "(the same file in Georgia and Texas)" in text_of(first)
    for state, page in pages.items():
        assert len(tables(page)[0]) - 1 == of_each
        assert f"state={state}" in re.findall(r'href="(/rates/[^"]+)"', page.content.decode())[0]


def test_a_group_is_called_the_same_on_its_page_and_in_the_rates(tmp_path: Path) -> None:
    """The first tax ID without a name is not called by the name of the next one."""
    tins = [("ein", "100000001"), ("ein", "100000002"), ("ein", "100000003")]
    db = store_of(tmp_path, {"2025-08": ([(set(), set(tins))], [A_RATE])})
    named = [{"tin_type": kind, "tin_value": value, "business_name": None} for kind, value in tins]
    named[1]["business_name"], named[2]["business_name"] = "PEACH CLINIC", "OAK CLINIC"
    # More NPIs do not change what a group is called: tables of rates do not count them.
    npis = [{"tin_type": "ein", "tin_value": "100000003", "npi": npi} for npi in ("1912951245", "1003027533")]
    month = {"year_month": "2025-08", "payer_slug": "payer_a"}
    db = written(db.root, {"dim_tin": named, "xref_tin_npi": [{**month, **one} for one in npis]})
    (row,) = list_rates(db, MARKET, "rate", 9, 0)
    assert (row.one_tin, row.one_name) == ("100000002", "PEACH CLINIC")
    found = groups.find_group(db, row.pg_uid)
    assert found is not None
    leading = groups.find_leading_tin(db, found)
    assert leading is not None
    assert (leading.tin_value, leading.business_name) == (row.one_tin, row.one_name)


def test_a_group_s_rates_have_a_percent_and_say_how_many_prices_there_are(site: Client, demo: Snapshot) -> None:
    """Compare with the page of rates, which has the percent of each rate of one code, and with a slow count."""
    for (pg_uid,) in demo.rows("SELECT pg_uid FROM fact_rate GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 3"):
        found = groups.find_group(demo, pg_uid)
        assert found is not None
        rows = groups.list_rates_of_group(demo, found, 10**6, 0)
        assert any(row.percent for row in rows)
        terms = [
            (row.state, row.code_type, row.code, row.billing_class, row.modifier, row.setting, tuple(row.service_codes),
             row.negotiated_type, row.negotiation_arrangement)
            for row in rows
        ]  # fmt: skip
        for row, of in zip(rows, terms, strict=True):
            alike = {one.negotiated_rate for one, other in zip(rows, terms, strict=True) if other == of}
            assert (row.prices, row.lowest_price, row.highest_price) == (len(alike), min(alike), max(alike))
        for state, code_type, code in sorted({(row.state, row.code_type, row.code) for row in rows})[:6]:
            market = Market(state, found.year_month, code_type, code)
            every = list_against_medicare(demo, market, "rate", 10**6, 0)
            expected = sorted((one.negotiated_rate, one.percent) for one in every if one.pg_uid == pg_uid)
            of_code = [one for one in rows if (one.state, one.code_type, one.code) == (state, code_type, code)]
            assert sorted((one.negotiated_rate, one.percent) for one in of_code) == expected


def test_several_prices_of_a_group_are_said_to_be_several(tmp_path: Path) -> None:
    rates = [A_RATE, {**A_RATE, "negotiated_rate": 12.5}, {**A_RATE, "places": ["22"], "negotiated_rate": 8.0}]
    db = store_of(tmp_path, {"2025-08": ([(set(), {("ein", "100000001")})], rates)})
    with serving(db.root):
        page = Visitor().get("/groups/payer_a 2025-08 0/")
    shown = [" ".join(row[0].split()) for row in tables(page)[0][1:]]
    assert text_of(page).count("the file does not say which applies") == 1, "once for all rows"
    several = "2 prices, $10.00 to $12.50"
    assert [several in one for one in shown] == [False, True, True], "of the other place, there is one price"
