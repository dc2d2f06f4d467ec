"""Files that nobody should publish: a clear line or a right answer, never a crash, a hang or half a load."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.load.batch.altered_texts import ALTERED_NOTES
from core.load.load_file import load_file
from core.load.load_sizes import DEFAULT_SIZES, LoadSizes
from core.runtime.errors import PayerFileError
from core.store.generations.store import Store
from core.tic.source import open_documents
from tests import payer_files, slow_reader
from tests.fixture_types import Load
from tests.load.expected import assert_same
from tests.rate_files import file_of, item_of
from tests.stores import listing, table

FILE = json.dumps(
    file_of(
        item_of(104.5, 0, {"negotiated_type": "percentage", "negotiated_rate": "40.5", "service_code": ["11", "22"]}),
        item_of(7, code="0450", references=["A-1", 690.64470]),
        provider_references=[
            {"provider_group_id": 1, "provider_groups": [{"npi": [1912951245], "tin": {"value": "1"}}]}
        ],
    )
).encode()


@st.composite
def broken(draw: st.DrawFn) -> bytes:
    """Draw a file with some of its bytes changed, left out, repeated, or moved."""
    content = bytearray(draw(st.one_of(st.just(FILE), payer_files.contents())))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(content)))
        end = draw(st.integers(start, min(start + 30, len(content))))
        piece = bytes(content[start:end])
        new = draw(
            st.one_of(
                st.binary(max_size=4),
                st.sampled_from([b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\0", b"\xff", b"1e999", b"null"]),
                st.sampled_from([b"\\ud800", b"-", b"NaN", b"\xed\xa0\x80", b"9" * 400, b"[" * 300, piece * 2]),
            )
        )
        content[start:end] = new
    return bytes(content)


@given(broken(), st.integers(20, 400), st.booleans())
def test_a_broken_file_is_refused_in_one_line_or_loaded_right(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, run: int, small: bool
) -> None:
    directory = tmp_path_factory.mktemp("hostile")
    path, store = directory / "rates.json", Store(directory / "data")
    path.write_bytes(content)
    sizes = LoadSizes(chunk_bytes=run, giant_item_bytes=2 * run) if small else DEFAULT_SIZES
    problem = ""
    try:
        outcome = load_file(store, open_documents(path)[0], "GA", year_month="2025-08", processes=1, sizes=sizes)
    except PayerFileError as error:
        problem = str(error)
    if problem:
        assert "\n" not in problem
        assert "rates.json" in problem
        assert not [name for name in listing(store.root) if name.endswith((".parquet", ".json"))]
        return
    record = outcome.record
    left_out = record["rows_rejected"] + record["rows_filtered"]
    assert record["rows_read"] == record["rows_added"] + record["duplicates"] + left_out
    assert len(table(store, "fact_rate")) == record["rows_added"]


@pytest.mark.parametrize("end", range(0, len(FILE), 31))
def test_a_file_cut_anywhere_leaves_nothing(tmp_path: Path, end: int) -> None:
    path, store = tmp_path / "rates.json", Store(tmp_path / "data")
    path.write_bytes(FILE[:end])
    with pytest.raises(PayerFileError, match=r"^rates\.json: "):
        load_file(store, open_documents(path)[0], "GA", processes=1)
    assert store.manifest() is None


def deep(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


@pytest.mark.in_turns(6)
@pytest.mark.parametrize(
    "value",
    [
        b"9" * 5000,
        b"1e400",
        b"-1e400",
        b"1e-400",
        b'"\\ud800"',
        b'"\\udc00\\ud800 x"',
        b'"a\\u0000b"',
        b'"\\u0000"',
        b'"\xff\xfe"',
        b'"a\nb"',
        b"NaN",
        b"-Infinity",
        b"[[[[1]]]]",
        b'{"a": {"b": []}}',
        b'"' + b"x" * 100_000 + b'"',
        deep(900),
    ],
)
def test_odd_values_are_counted_or_carried(load: Load, store: Store, value: bytes) -> None:
    """Each of the values in each place where it may stand."""
    odd = "VALUE"
    priced = {"negotiated_type": "negotiated", "negotiated_rate": 5}
    items = [
        item_of(5, code=odd),
        item_of(5, code="10001", name=odd, description=odd, unknown=odd),
        item_of({**priced, "negotiated_rate": odd}, code="10002"),
        item_of({**priced, "service_code": odd, "billing_code_modifier": odd}, code="10003"),
        item_of({**priced, "expiration_date": odd, "setting": odd, "additional_information": odd}, code="10004"),
        item_of(5, code="10005", references=[2]),
        item_of(5, code="10006", severity_of_illness=odd, negotiation_arrangement=odd),
        item_of(6, code="99214"),
    ]
    references = [
        {"provider_group_id": 1, "provider_groups": [{"npi": [odd], "tin": {"type": odd, "value": odd}}]},
        {"provider_group_id": odd, "provider_groups": [{"npi": [1912951245], "tin": {"type": "ein", "value": "1"}}]},
        {"provider_group_id": 2, "network_name": odd, "location": odd},
    ]
    content = json.dumps(file_of(*items, provider_references=references)).encode()
    record = load(content.replace(b'"VALUE"', value)).record
    assert record["rows_read"] == record["rows_added"] + record["duplicates"] + record["rows_rejected"] == len(items)
    kept = set(table(store, "fact_rate")["code"])
    assert {"10001", "10005", "99214"} <= kept
    # A text that is too long for the grain is a rejected row; any other value is carried.
    assert len({"10003", "10004", "10006"} - kept) == record["rejects"].get("text_too_long", 0)


@pytest.mark.parametrize("levels", [1_200, 10_000])
def test_a_value_nested_too_deep_is_refused(load: Load, store: Store, levels: int) -> None:
    content = json.dumps(file_of(item_of(5, unknown="VALUE"))).encode().replace(b'"VALUE"', deep(levels))
    with pytest.raises(PayerFileError, match="nested deeper"):
        load(content)
    assert store.manifest() is None


def test_a_seam_that_also_appears_in_a_text_is_not_a_cut(load: Load, store: Store) -> None:
    """The quick cuts are wrong here, which has to be found out."""
    seam = json.dumps([item_of(1), item_of(2)])[1:-1]
    items = [item_of(n, code=str(10_000 + n), bundled_codes=[item_of(n)] * 3, note=seam) for n in range(30)]
    content = json.dumps(file_of(*items)).encode()
    outcome = load(content, processes=1, sizes=LoadSizes(chunk_bytes=600))
    assert_same(store, outcome, slow_reader.flatten(content, "GA"))


def rates_of(store: Store) -> list[float]:
    return sorted(table(store, "fact_rate")["negotiated_rate"])


@pytest.mark.parametrize(
    "frame",
    [
        '{"x":{"negotiated_rate":%s,"y":1},"negotiated_rate" : %s}',
        '{"negotiated_rate":%s,"negotiated_rate" : %s}',
        '{"negotiated_rate":%s,"negotiated\\u005frate":%s}',
        '{"a\\"negotiated_rate":%s,"negotiated_rate" : %s}',
        '{"x":[{"negotiated_rate":%s,"y":[1,{"negotiated_rate" : 3}]}],"negotiated_rate" :%s, "negotiated_type":"a"}',
    ],
)
def test_another_number_next_to_the_rate_is_never_taken_for_it(load: Load, store: Store, frame: str) -> None:
    prices = [frame % (other, rate) for other, rate in ((7, 7), (9, 7), (8, 7))]
    content = json.dumps(file_of(item_of("PRICES"))).replace(
        '{"negotiated_type": "negotiated", "negotiated_rate": "PRICES"}', ",".join(prices)
    )
    assert "PRICES" not in content
    load(content.encode())
    assert rates_of(store) == [7], "the same price three times"


@pytest.mark.parametrize("fault", ['"name":5', '"name":NaN', '"name":"\\ud800"', '"name":"a\nb"', '"name":"plain"'])
def test_an_element_that_is_not_a_price_is_always_counted(load: Load, store: Store, fault: str) -> None:
    item = item_of(1, 2)
    item["negotiated_rates"][0]["negotiated_prices"] += [5, None, "x", [], [{}], True]
    item["negotiated_rates"] += [7, None, {"negotiated_prices": 5, "provider_references": [1]}]
    content = json.dumps(file_of({**item, "name": "NAME"})).replace('"name": "NAME"', fault)
    record = load(content.encode()).record
    assert rates_of(store) == [1, 2]
    assert (record["rows_read"], record["rows_added"], record["rejects"]) == (9, 2, {"no_price": 7})
    assert record["notes"]["rates_without_prices"] == 2


@pytest.mark.parametrize("kind", [["ein"], {}, [], 5, True, None])
def test_a_tax_id_of_an_odd_kind(load: Load, store: Store, kind: object) -> None:
    members = [{"npi": [1912951245], "tin": {"type": kind, "value": "12-3456789"}}]
    load(file_of(item_of(1), provider_references=[{"provider_group_id": 1, "provider_groups": members}]))
    assert table(store, "dim_tin").select("tin_type", "tin_value").rows() == [("ein", "123456789")]


@pytest.mark.in_turns(7)
@pytest.mark.parametrize("number", ["1e99999999999999999999", "1e-99999999999999999999", "-1E+99999999999999999999"])
@pytest.mark.parametrize(
    "place", ["negotiated_rate", "billing_code", "severity_of_illness", "provider_group_id", "npi", "tin", "version"]
)
def test_a_number_beyond_all_bounds_does_not_crash(load: Load, store: Store, number: str, place: str) -> None:
    content = file_of(
        item_of(1, 2),
        provider_references=[
            {"provider_group_id": 1, "provider_groups": [{"npi": [1912951245], "tin": {"type": "ein", "value": "1"}}]}
        ],
    )
    group, item = content["provider_references"][0], content["in_network"][0]
    where = {
        "negotiated_rate": item["negotiated_rates"][0]["negotiated_prices"][0],
        "provider_group_id": group,
        "npi": group["provider_groups"][0],
        "tin": group["provider_groups"][0],
        "version": content,
    }.get(place, item)
    where[place] = "HERE"
    outcome = load(json.dumps(content).replace('"HERE"', number).encode())
    if place == "negotiated_rate" and not number.startswith("1e-"):
        assert outcome.record["rejects"] == {"invalid_rate": 1}
    else:
        assert outcome.rows_added == 2


def test_texts_are_cleaned_shortened_or_rejected_and_counted(load: Load, store: Store) -> None:
    priced = {"negotiated_type": "negotiated", "negotiated_rate": 5}
    members = [{"npi": [1912951245], "tin": {"type": "ein", "value": "123456789", "business_name": "Peach\nClinic"}}]
    items = [
        item_of(5, code="9\x009213\r\n", name="Visit\tone", description="d" * 2_001),
        item_of({**priced, "additional_information": "r" * 2_001}, code="10001", references=[1, "a\x00"]),
        item_of({**priced, "additional_information": "one\u2028two\u202e", "setting": "in\x1bpatient"}, code="10002"),
        item_of(5, code="1" * 41),
        item_of(5, 6, code="10003", severity_of_illness="s" * 41),
        item_of({**priced, "billing_code_modifier": ["m" * 101]}, code="10004"),
        item_of({**priced, "service_code": ["11", "p" * 21]}, code="10005"),
        item_of({**priced, "service_code": [f"{n:03}" for n in range(201)]}, code="10006"),
        item_of({**priced, "billing_class": "c" * 41}, code="10007"),
    ]
    references = [
        {"provider_group_id": 1, "network_name": ["N\r1", "n" * 301], "provider_groups": members},
        {"provider_group_id": "a", "provider_groups": members},
        {"provider_group_id": "a\x00", "provider_groups": members},
    ]
    plans = [{"plan_name": "Plan\none", "plan_id": "12"}, {"plan_name": "p" * 301, "plan_sponsor_name": "Ac\nme"}]
    header = {"reporting_entity_name": "Pay\ner", "reporting_plans": plans}
    content = {**file_of(*items, provider_references=references), **header}
    record = load(content, name="a\n.json").record
    assert record["rejects"] == {"code_too_long": 1, "text_too_long": 6}
    assert record["rows_read"] == 11 == record["rows_added"] + record["rows_rejected"]
    # Shortened: the description, the remark, a network, and a plan. With control characters: the title, the remark of
    # 10002, the payer, a network, the organization, and both plans.
    counts = {name: record["notes"].get(name) for name in ALTERED_NOTES.values()}
    assert counts == {"shortened_texts": 4, "texts_with_control_characters": 7}
    facts = {row["code"]: row for row in table(store, "fact_rate").to_dicts()}
    assert set(facts) == {"99213", "10001", "10002"}
    assert facts["10001"]["additional_information"] == "r" * 1_999 + "…"
    assert (facts["10002"]["additional_information"], facts["10002"]["setting"]) == ("one two", "inpatient")
    groups = table(store, "dim_provider_group")
    assert sorted(groups["provider_group_id_raw"]) == ["1", "a#" + hashlib.md5(b"a\x00").hexdigest()]
    assert sorted(groups["network_names"].explode().drop_nulls()) == ["N 1", "n" * 299 + "…"]
    assert table(store, "dim_tin")["business_name"].to_list() == ["Peach Clinic"]
    assert sorted(table(store, "xref_batch_plan")["plan_name"]) == ["Plan one", "p" * 299 + "…"]
    assert table(store, "dim_pos_set")["service_codes"].to_list() == [[]]
    assert (record["source"], record["reporting_entity_name"]) == ("a .json", "Pay er")


@pytest.mark.parametrize("name", ["x" * 301, "\x00\u202e\n"])
def test_a_payer_s_name_that_is_none_is_refused(load: Load, store: Store, name: str) -> None:
    with pytest.raises(PayerFileError, match="reporting_entity_name"):
        load({**file_of(item_of(5)), "reporting_entity_name": name})
    assert store.manifest() is None
