"""Tables of contents, in the shapes that payers give them."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.runtime.errors import PayerFileError
from core.tic.plans import Plan
from core.tic.source import open_documents
from core.tic.table_of_contents import TableOfContents, read_contents

Read = Callable[[Any], TableOfContents]


def plan(number: Any, **fields: Any) -> dict[str, Any]:
    return {
        "plan_name": f"Plan {number}", "plan_id_type": "HIOS", "plan_id": number, "plan_market_type": "Group", **fields,
    }  # fmt: skip


def file(path: str, **fields: Any) -> dict[str, Any]:
    return {"description": "in-network file", "location": f"https://payer.example/{path}", **fields}


def toc(*structures: Any, **root: Any) -> dict[str, Any]:
    return {"reporting_entity_name": "Payer", "reporting_structure": list(structures), **root}


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read_it(content: Any) -> TableOfContents:
        path = tmp_path / "index.json"
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return read_contents(open_documents(path)[0])

    return read_it


def listed(contents: TableOfContents) -> dict[str, set[str]]:
    return {file.address.name: {plan.plan_id for plan in contents.plans_of(file)} for file in contents.files}


def test_each_file_is_listed_once_with_all_its_plans(read: Read) -> None:
    found = read(
        toc(
            {"reporting_plans": [plan("1"), plan("2")], "in_network_files": [file("a?sig=1"), file("b")]},
            {"reporting_plans": [plan("3")], "in_network_files": [file("b"), file("a?sig=2")]},
            {"reporting_plans": [plan("1"), plan("2")], "in_network_files": [file("c")]},
        )
    )
    assert listed(found) == {"a": {"1", "2", "3"}, "b": {"1", "2", "3"}, "c": {"1", "2"}}
    assert Plan("Plan 1", "hios", "1", "group") in found.plans


@pytest.mark.parametrize("spoiled", ["", "\udc00"])
def test_plans_whose_texts_are_changed_are_counted_once(read: Read, spoiled: str) -> None:
    plans = [plan("1"), plan("2", plan_name="Plan\ntwo"), plan("3", plan_sponsor_name="s" * 301)]
    each = {"reporting_plans": plans, "in_network_files": [file("a", description=spoiled)]}
    found = read(toc(each, each))
    assert (len(found.plans), found.altered_plans) == (3, 2)
    assert {one.plan_name for one in found.plans} == {"Plan 1", "Plan two", "Plan 3"}


def test_what_payers_get_wrong_is_left_out_and_counted(read: Read) -> None:
    found = read(
        {
            "reporting_structure": [
                {"in_network_files": file("plans missing"), "allowed_amount_file": [{"location": "x"}, {}]},
                {"reporting_plans": plan(64353), "in_network_files": [file("a"), None, 7, {"description": "none"}]},
                {"reporting_plans": None, "in_network_files": None, "allowed_amount_files": {"location": "y"}},
                {"reporting_plans": [{"plan_market_type": "group"}], "in_network_files": [file("", location="http://h/x")]},
                {"in_network_files": [file("", location=bad) for bad in ("file:///etc/passwd", "/x", "\\\\h\\x", "x")]},
                "odd",
                None,
            ],
            "last_updated_on": None,
        }
    )  # fmt: skip
    assert listed(found) == {"plans missing": set(), "a": {"64353"}, "x": set()}
    assert found.left_out == {
        "allowed-amount files": 3,
        "entries without a location": 3,
        "entries that are not objects": 2,
        "locations that are not web addresses": 4,
    }
    assert found.problems[0].startswith("file:///etc/passwd: cannot be fetched")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"[]", "not a table of contents: expected one JSON object"),
        (b"{}", "has no reporting_structure"),
        (b'{"reporting_structure": 7}', "reporting_structure is not an array"),
        (b'{"reporting_structure": [{"a": [1}]}', "not JSON"),
        (b'{"reporting_structure": [{}', "cut short"),
        (b'{"in_network": []}', "an in-network file; load it without --toc"),
        (b'{"out_of_network": []}', "an allowed-amounts file"),
        pytest.param(gzip.compress(json.dumps(toc()).encode(), mtime=0)[:-9], "cut short", id="gzip-cut short"),
    ],
)
def test_another_kind_of_file_is_an_error_that_says_what_it_is(read: Read, content: bytes, message: str) -> None:
    with pytest.raises(PayerFileError, match=rf"^index\.json: .*{message}"):
        read(content)


def test_null_or_one_object_may_replace_the_list(read: Read) -> None:
    assert listed(read({"reporting_structure": None})) == {}
    assert listed(read({"reporting_structure": {"in_network_files": [file("a")]}})) == {"a": set()}


def test_files_are_chosen_by_plan_and_by_text(read: Read) -> None:
    hmo = "2025_hmo.json"
    found = read(
        toc(
            {"reporting_plans": [plan("11", plan_name="Gold PPO")], "in_network_files": [file("2025_ppo.json.gz")]},
            {"reporting_plans": [plan("12", plan_name="Silver")], "in_network_files": [file(hmo, description="DEN")]},
            {"reporting_plans": [plan("13", plan_name="Gold HMO")], "in_network_files": [file(hmo)]},
        )
    )  # fmt: skip

    def chosen(plans: tuple[str, ...] = (), matches: tuple[str, ...] = ()) -> list[str]:
        return [file.address.name.split(".")[0] for file in found.choose(plans, matches)]

    assert chosen() == chosen(("gold",)) == chosen(("11", "12")) == ["2025_ppo", "2025_hmo"]
    assert chosen(("12",)) == chosen(("SILVER",)) == chosen((), ("den",)) == ["2025_hmo"]
    assert chosen((), ("*.gz",)) == chosen((), ("PPO",)) == ["2025_ppo"]
    assert chosen(("silver",), ("*hmo*", "ppo")) == ["2025_hmo"]
    with pytest.raises(PayerFileError, match="none of the 3 plans has that id"):
        chosen(("1",))
    with pytest.raises(PayerFileError, match="none of the 2 files of the table of contents matches"):
        chosen(("silver",), ("ppo",))
    with pytest.raises(PayerFileError, match="lists no in-network file"):
        read(toc()).choose()


def test_a_plan_is_found_by_its_id_without_dashes_its_sponsor_and_its_issuer(read: Read) -> None:
    acme = plan("12-3456701", plan_sponser_name="Acme Corp", issuer_name="Peach Issuer")
    other = plan("64353", plan_sponsor_name="Other Inc.")
    found = read(
        toc(
            {"reporting_plans": [acme], "in_network_files": [file("a")]},
            {"reporting_plans": [other], "in_network_files": [file("b")]},
        )
    )
    assert [each.plan_sponsor_name for each in found.plans] == ["Acme Corp", "Other Inc."]
    for text in ("123456701", "12-3456701", "12 3456701", "acme", "peach issuer"):
        assert [each.address.name for each in found.choose([text])] == ["a"], text
    assert [each.address.name for each in found.choose(["other inc"])] == ["b"]


def test_addresses_as_plain_texts_and_from_web_pages(read: Read) -> None:
    found = read(
        toc(
            {"reporting_plans": [plan("1")], "in_network_files": ["https://h/a.json", " https://h/b.json "]},
            {"reporting_plans": [plan("2")], "in_network_files": "https://h/c.json"},
            {"reporting_plans": [plan("3")], "in_network_files": [{"url": "https://h/d.json"}, {"Location": "https://h/e"}]},
            {"reporting_plans": [plan("4")], "in_network_files": [file("", location="https://h/x?a=1&amp;b=2")]},
            {"reporting_plans": [plan("5")], "in_network_files": [file("", location="https://h/x?a=1&b=2")]},
            {"Reporting_Plans": [plan("6")], "in_network_file": [file("f")]},
        )
    )  # fmt: skip
    assert listed(found) == {
        "a.json": {"1"}, "b.json": {"1"}, "c.json": {"2"}, "d.json": {"3"}, "e": {"3"}, "x": {"4", "5"}, "f": {"6"},
    }  # fmt: skip
    assert not found.left_out


def test_files_named_only_in_their_query_are_told_apart(read: Read) -> None:
    names = [f"2024-06-01_Payer_PPO-0{n}_in-network-rates.json.gz" for n in (1, 2)]
    found = read(
        toc({"in_network_files": [file(f"api/download?fd=2024-06-01&fn={name}&sig=SECRET") for name in names]})
    )
    assert [each.address.name for each in found.files] == names
    assert [str(each.address) for each in found.files] == [
        f"https://payer.example/api/download?fn={name}" for name in names
    ]
    assert [each.address.name for each in found.choose((), ["PPO-02"])] == [names[1]]


def test_a_table_of_contents_names_its_payer(read: Read) -> None:
    assert read(toc({"in_network_files": [file("a")]})).payer == "Payer"
    assert read({"reporting_structure": [], "reporting_entity_name": " N/A "}).payer is None


@st.composite
def tables(draw: st.DrawFn) -> list[dict[str, Any]]:
    plans = st.lists(st.sampled_from(range(5)), max_size=4)
    files = st.lists(st.sampled_from("abcd"), max_size=4)
    return draw(st.lists(st.fixed_dictionaries({"plans": plans, "files": files}), max_size=8))


@given(tables())
def test_sets_held_once_lose_nothing(tmp_path: Path, structures: list[dict[str, Any]]) -> None:
    expected: dict[str, set[str]] = {}
    for structure in structures:
        for name in structure["files"]:
            expected.setdefault(name, set()).update(map(str, structure["plans"]))
    path = tmp_path / "index.json"
    made = [
        {"reporting_plans": [plan(n) for n in s["plans"]], "in_network_files": [file(n) for n in s["files"]]}
        for s in structures
    ]
    path.write_text(json.dumps(toc(*made)))
    found = read_contents(open_documents(path)[0])
    assert listed(found) == expected
    for number in {n for names in expected.values() for n in names}:
        chosen = {file.address.name for file in found.choose([number])}
        assert chosen == {name for name, plans in expected.items() if number in plans}


def test_real_tables_of_contents(shared: Path) -> None:
    molina = read_contents(open_documents(shared / "tic/payers/2022-07-01_Molina-Healthcare-of-Ohio_index.json")[0])
    assert (len(molina.files), len(molina.plans)) == (30, 8)
    assert all(len(molina.plans_of(file)) == 8 for file in molina.files)
    fidelis = read_contents(open_documents(shared / "tic/toc/toc_fidelis_sample.json")[0])
    assert sorted(len(fidelis.plans_of(file)) for file in fidelis.files) == [6, 24]
    assert fidelis.left_out["allowed-amount files"] == 2
