"""The page of a provider group, its files, the API, and Python."""

from html import unescape

from django.test import Client

from core.pages.formats import write_tin
from core.python_api.rate_store import open_store
from core.queries.parties import groups
from core.store.connection import Snapshot
from tests.site import csv_rows, text_of


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
    """The name of the tax ID with most NPIs of those with a name, found the slow way."""
    groups_of = demo.rows("SELECT pg_uid, count(*) FROM xref_group_tin GROUP BY 1 ORDER BY 2 DESC, 1")
    for pg_uid, members in (groups_of[0], groups_of[-1]):
        tins = set(demo.rows("SELECT tin_type, tin_value FROM xref_group_tin WHERE pg_uid = ?", [pg_uid]))
        names = {
            (kind, tin): name
            for kind, tin, name in demo.rows("SELECT tin_type, tin_value, business_name FROM named_tin")
        }
        npis: dict[tuple[str, str], set[str]] = {}
        for kind, tin, npi in demo.rows("SELECT tin_type, tin_value, npi FROM xref_tin_npi"):
            npis.setdefault((kind, tin), set()).add(npi)
        first = min(tins, key=lambda one: (names.get(one) is None, -len(npis.get(one, ())), one[1], one[0]))
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
