"""One box for everything."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fields.codes.code_list import WantedCode
from core.queries.find import codes
from core.queries.find.code_index import code_index
from core.queries.find.named_things import named_things
from core.queries.find.organizations import Provider
from core.queries.find.search import search_everything
from core.queries.find.search_meaning import read_meaning
from core.queries.find.search_results import SearchResults
from core.queries.market.market import Market
from core.store.connection import Snapshot
from tests.queries.slow import Everything
from tests.queries.tables import written


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("exercize", "exercise"),
        ("arthrosocpy", "arthroscopy"),
        ("knee replcement", "knee replacement"),
        ("mri brian", "mri brain"),
        ("xyzzy", None),
        ("knee", None),
        ("", None),
        ("knee xyzzy", None),
    ],
)
def test_a_typing_error_is_forgiven(demo: Snapshot, given: str, expected: str | None) -> None:
    assert codes.correct_spelling(demo, given) == expected


@given(st.text("abdegiknorst ", max_size=12))
def test_what_is_shown_instead_is_near_and_there(demo: Snapshot, text: str) -> None:
    instead = codes.correct_spelling(demo, text)
    if instead is not None:
        assert codes.search_codes(demo, instead, 1)[0] or len(instead.split()) > 1
        assert len(instead.split()) == len(text.split())
        for word, given_word in zip(instead.split(), text.split(), strict=True):
            assert distance(given_word, word) <= (2 if len(given_word) >= 8 else 1 if len(given_word) > 3 else 0)


def distance(one: str, other: str) -> int:
    """Letters changed, left out, added or swapped with their neighbour: step by step."""
    seen = {(-1, j): j + 1 for j in range(-1, len(other))} | {(i, -1): i + 1 for i in range(-1, len(one))}
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            ways = [seen[i - 1, j] + 1, seen[i, j - 1] + 1, seen[i - 1, j - 1] + (a != b)]
            if i and j and a == other[j - 1] and one[i - 1] == b:
                ways.append(seen[i - 2, j - 2] + 1)
            seen[i, j] = min(ways)
    return seen[len(one) - 1, len(other) - 1]


def test_the_box_finds_out_what_it_is_given(demo: Snapshot) -> None:
    npi, tin, name = demo.rows(
        "SELECT npi, tin_value, business_name FROM xref_tin_npi JOIN dim_tin USING (tin_type, tin_value) "
        "WHERE tin_type = 'ein' AND business_name IS NOT NULL ORDER BY npi LIMIT 1"
    )[0]
    ((known_as, city),) = demo.rows(
        "SELECT name, p.city FROM dim_npi LEFT JOIN provider_profile p USING (npi) WHERE npi = $npi", {"npi": npi}
    )
    assert search_everything(demo, npi).providers == [Provider("npi", npi, known_as, city=city)]
    assert search_everything(demo, f"{tin[:2]}-{tin[2:]}").providers == [Provider("tin", tin, name)]
    assert tin in {one.tin for one in search_everything(demo, name.upper()).organizations}
    (piedmont,) = search_everything(demo, "piedmont").payers
    assert piedmont.reporting_entity_name == "Example Piedmont Mutual, Inc."
    assert demo.rows(
        "SELECT count(*) FROM fact_rate WHERE reporting_entity_name = $name", {"name": piedmont.reporting_entity_name}
    ) == [(piedmont.rates,)]
    assert search_everything(demo, "99213").codes[0].code == "99213"
    assert search_everything(demo, "1999999999").is_empty
    assert search_everything(demo, "CPT 11111").is_empty
    # A code of the vocabulary that is not loaded is named, without rates.
    (sepsis,) = search_everything(demo, "ms-drg 871").codes
    assert (sepsis.code, sepsis.rates, sepsis.title) == ("871", 0, "Hospital stay for sepsis, major complication")
    found = search_everything(demo, "exercize")
    assert (found.corrected, found.codes[0].code) == (None, "97110")
    found = search_everything(demo, "knwon")
    assert (found.corrected, {code.code for code in found.codes}) == ("known", {"99213", "99214", "99215"})


def test_one_box_combines_a_code_a_payer_a_modifier_and_a_state(demo: Snapshot) -> None:
    found = search_everything(demo, "piedmont 70450-26 ga")
    assert [code.code for code in found.codes] == ["70450"]
    assert found.context.payer
    assert found.context.payer.payer_slug == "example_piedmont_mutual_inc"
    assert (found.context.modifier, found.context.state) == ("26", "GA")
    (code,) = found.codes
    market = Market("GA", code.year_month or "", code.code_type, code.code, payer="example_piedmont_mutual_inc")
    assert code.rates == len(Everything(demo).of(market))


def test_a_payer_and_plain_words_find_the_payers_codes(demo: Snapshot) -> None:
    found = search_everything(demo, "piedmnt head ct")
    assert (found.codes[0].code, found.payers[0].payer_slug) == ("70450", "example_piedmont_mutual_inc")


def test_a_payer_alone_finds_no_codes(demo: Snapshot) -> None:
    found = search_everything(demo, "piedmont mutual")
    assert (found.codes, len(found.payers)) == ([], 1)


def numbers_at_place(db: Snapshot, found: SearchResults) -> list[str]:
    """Return the NPIs of the people, and those of the organizations' names, that practice at the place of a search."""
    names = [one.organization_name for one in found.organizations]
    rows = db.rows(
        """SELECT npi FROM dim_npi JOIN provider_profile p USING (npi)
           WHERE name IN (SELECT unnest($names)) AND coalesce(p.zip = $zip, p.city = $city)""",
        {"names": names, "zip": found.context.zip, "city": found.context.city},
    )
    return sorted([*(one.value for one in found.local_providers), *(str(npi) for (npi,) in rows)])


def test_a_specialty_and_a_town_find_the_providers_there(demo: Snapshot) -> None:
    specialty, city, providers = demo.rows(
        """SELECT p.specialty, p.city, list(npi) FROM provider_profile p JOIN dim_npi USING (npi)
           WHERE p.specialty IS NOT NULL AND p.city IS NOT NULL GROUP BY ALL ORDER BY ALL LIMIT 1"""
    )[0]
    found = search_everything(demo, f"{specialty} {city.lower()}", 1000)
    assert (found.context.specialty, found.context.city) == (specialty, city)
    assert numbers_at_place(demo, found) == sorted(providers)
    assert (found.local_in_all, found.organizations_in_all) == (len(found.local_providers), len(found.organizations))


def test_a_providers_name_with_its_town_finds_it(demo: Snapshot) -> None:
    npi, name, city = demo.rows(
        "SELECT npi, name, city FROM dim_npi WHERE name IS NOT NULL AND city IS NOT NULL ORDER BY npi LIMIT 1"
    )[0]
    assert npi in [one.value for one in search_everything(demo, f"dr {name} {city}", 1000).providers]


def test_a_zip_code_finds_its_providers(demo: Snapshot) -> None:
    zip_code, providers = demo.rows(
        "SELECT zip, list(npi) FROM provider_profile JOIN dim_npi USING (npi) GROUP BY zip ORDER BY zip LIMIT 1"
    )[0]
    found = search_everything(demo, zip_code, 1000)
    assert found.context.zip == zip_code
    assert numbers_at_place(demo, found) == sorted(providers)


@given(st.text(max_size=40))
def test_any_text_has_an_answer(demo: Snapshot, text: str) -> None:
    found = search_everything(demo, text)
    assert found.codes_in_all >= len(found.codes)
    assert found.is_empty or not found.corrected or found.codes


def test_a_specialty_finds_its_usual_services(demo: Snapshot) -> None:
    assert [one.key for one in search_everything(demo, "orthopedic surgeon").baskets] == ["orthopedics"]
    assert search_everything(demo, "70450").baskets == []


def test_a_tax_id_that_is_an_npi_is_found_once_by_its_name(demo: Snapshot) -> None:
    name, number = demo.rows(
        """SELECT business_name, tin_value FROM named_tin JOIN dim_npi n ON n.npi = tin_value AND n.name = business_name
           ORDER BY tin_value LIMIT 1"""
    )[0]
    found = search_everything(demo, name, limit=1_000)
    people = [one.by for one in found.providers if one.value == number]
    assert [*people, *(one for one in found.organizations if number in {one.npi, one.tin})]
    assert len(people) <= 1


def test_an_npi_that_is_billed_under_is_one_hit(demo: Snapshot) -> None:
    ((name, number),) = demo.rows(
        """SELECT any_value(n.name), min(tin_value) FROM named_tin JOIN dim_npi n ON n.npi = tin_value
           WHERE tin_type = 'npi' GROUP BY tin_value ORDER BY tin_value LIMIT 1"""
    )
    assert [(one.by, one.value, one.name) for one in search_everything(demo, number).providers] == [
        ("tin", number, name)
    ]
    ((alone, ein),) = demo.rows(
        """SELECT (SELECT min(npi) FROM dim_npi WHERE npi NOT IN (SELECT tin_value FROM named_tin)),
                  (SELECT min(tin_value) FROM named_tin WHERE tin_type = 'ein')"""
    )
    assert [(one.by, one.value) for one in search_everything(demo, alone).providers] == [("npi", alone)]
    assert [(one.by, one.value, one.city) for one in search_everything(demo, ein).providers] == [("tin", ein, None)]


def test_a_typing_error_in_a_provider_s_name_is_forgiven(demo: Snapshot) -> None:
    ((name,),) = demo.rows(
        "SELECT business_name FROM named_tin WHERE business_name LIKE 'Peachtree%' ORDER BY ALL LIMIT 1"
    )
    first, second = name.split()[:2]
    wrong = f"{first[:3]}{first[4:]} {second}"  # a letter is missing
    found = search_everything(demo, wrong)
    assert found.corrected_name == f"{first} {second}".lower()
    assert name in {one.organization_name for one in found.organizations}
    assert search_everything(demo, f"{first} {second}").corrected_name is None
    assert search_everything(demo, f"{wrong} xyzzyx").corrected_name is None, "no provider has the other word"
    assert search_everything(demo, "knee replcement").corrected_name is None


def test_a_file_for_two_states_counts_once(tmp_path: Path) -> None:
    a_batch = {"year_month": "2025-08", "reporting_entity_name": "Payer A", "payer_slug": "payer_a"}
    batches = [
        {**a_batch, "batch_id": "both", "state": "GA", "rows_added": 7},
        {**a_batch, "batch_id": "both", "state": "TX", "rows_added": 7},
        {**a_batch, "batch_id": "of Texas", "state": "TX", "rows_added": 2},
        # Part of a file each: other rates.
        {**a_batch, "batch_id": "parts", "state": "GA", "rows_added": 10},
        {**a_batch, "batch_id": "parts", "state": "TX", "rows_added": 20},
    ]
    names = [{"payer_slug": "payer_a", "reporting_entity_name": "Payer A"}]
    db = written(tmp_path, {"dim_batch": batches, "dim_reporting_entity": names})
    assert {slug: payer.rates for slug, payer in named_things(db).payers.items()} == {"payer_a": 7 + 2 + 10 + 20}


@pytest.mark.parametrize(
    "text", ["knee", "knee, GA", "knee replcement, GA", "knee in Atlanta", "97110, GA", "97110-97140"]
)
def test_the_list_of_all_codes_is_of_those_that_were_found(demo: Snapshot, text: str) -> None:
    found = search_everything(demo, text)
    assert found.codes
    total, listed = codes.search_codes(demo, found.code_text, 1000)
    assert total == found.codes_in_all
    assert {code.code for code in found.codes} <= {code.code for code in listed}


@pytest.mark.parametrize(
    ("text", "first", "settings"),
    [
        ("head ct cost hospital or office", "70450", ("hospital outpatient", "office")),
        ("how much is a ct of the head in an office", "70450", ()),
        ("office visit", "99213", ()),
        ("office visit price", "99213", ()),
        ("head ct", "70450", ()),
    ],
)
def test_words_that_say_where_or_how_much_empty_no_search(
    demo: Snapshot, text: str, first: str, settings: tuple[str, ...]
) -> None:
    found = search_everything(demo, text)
    assert (found.codes[0].code, found.set_aside) == (first, settings)


def test_people_have_their_city(placed: Snapshot) -> None:
    cities = dict(placed.rows("SELECT npi, city FROM provider_profile WHERE entity_type = 'individual'"))
    found = search_everything(placed, "cardiologist in Georgia")
    people = [*found.local_providers, *found.providers]
    assert people
    assert {one.value: one.city for one in people} == {one.value: cities.get(one.value) for one in people}
    assert any(one.city for one in people)


@pytest.mark.parametrize(
    ("text", "zip_code"), [("45378", None), ("colonoscopy 45378", None), ("office visit 45378", "45378")]
)
def test_a_number_beside_a_service_is_a_zip_code_unless_it_is_of_the_service(
    demo: Snapshot, text: str, zip_code: str | None
) -> None:
    """45378 is a colonoscopy, and here where somebody practices as well."""
    index = code_index(demo)
    assert index.has(WantedCode(None, "45378"))
    meant = read_meaning(index, replace(named_things(demo), zip_codes=frozenset({"45378"})), text)
    assert (meant.context.zip, meant.said.says_codes) == (zip_code, zip_code is None)
