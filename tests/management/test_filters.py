"""The options that choose rates: lists and files of values, and what is neither."""

import argparse
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from core.fields.places.states import STATES
from core.management.base_command import states
from core.management.filter_options import OWN_STATE, add_filter_options, name_own_state, read_filter, read_loads


def parsed(*arguments: str) -> dict[str, Any]:
    parser = argparse.ArgumentParser(exit_on_error=False)
    add_filter_options(parser)
    found = read_filter(vars(parser.parse_args(arguments))).as_json()
    return {name: list(values) if isinstance(values, tuple) else values for name, values in found.items()}


def test_lists_and_files_of_values(tmp_path: Path) -> None:
    path = tmp_path / "codes"
    path.write_text("\ufeff99213\n99214;CSTM-00\r\nDRUGS\n")
    assert parsed("--codes", str(path)) == {"codes": ["99213", "99214", "CSTM-00", "DRUGS"]}
    assert parsed("--codes", "z00.00,cstm-all") == {"codes": ["CSTM-ALL", "Z00.00"]}
    assert parsed("--codes", "cstm-all") == {"codes": ["CSTM-ALL"]}
    assert parsed("--code-types", "rc,MS-DRG") == {"code_types": ["MS-DRG", "REV"]}
    assert parsed("--npis", "1912951245") == {"npis": ["1912951245"]}
    assert parsed("--tins", "12-3456789,12345678") == {"tins": ["012345678", "12345678", "123456789"]}
    assert parsed("--in-state", "ga") == {"in_state": "GA"}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("--in-state ga x.json", "--in-state ga x.json"),
        ("--in-state x.json", "--in-state own x.json"),
        ("--state GA,FL --in-state --codes 1 x.json", "--state GA,FL --in-state own --codes 1 x.json"),
        ("x.json --in-state", "x.json --in-state own"),
        ("--in-state=GA x.json", "--in-state=GA x.json"),
    ],
)
def test_in_state_without_a_state_means_the_states_of_the_load(written: str, read: str) -> None:
    assert name_own_state(written.split()) == read.split()


def test_what_several_states_get() -> None:
    options: dict[str, Any] = {"codes": (), "code_types": (), "npis": (), "tins": (), "in_state": OWN_STATE}
    loads = read_loads({**options, "state": ("FL", "GA")})
    assert [(one.state, one.only.in_state) for one in loads] == [("FL", "FL"), ("GA", "GA")]
    assert [one.only.in_state for one in read_loads({**options, "state": ("GA",)})] == ["GA"]
    (one,) = read_loads({**options, "state": ("GA",), "in_state": "FL"})
    assert (one.state, one.only.in_state) == ("GA", "FL")


@pytest.mark.parametrize("arguments", [[], ["--in-state", "GA"]], ids=str)
def test_several_states_need_a_way_to_tell_their_rates_apart(arguments: list[str]) -> None:
    with pytest.raises(CommandError, match=r"--state names 2 states, and a file does not say .*; add --in-state "):
        call_command("ingest_mrf", "--state", "GA,FL", *arguments, "x.json")


def test_states_are_named_once_and_all_means_every_state() -> None:
    assert states("ga,FL,GA") == ("GA", "FL")
    assert states("all") == tuple(sorted(STATES))
    with pytest.raises(argparse.ArgumentTypeError, match="'XX' is not a state"):
        states("GA,XX")


@pytest.mark.parametrize(
    ("option", "text", "complaint"),
    [
        ("--codes", "codez.txt", "codez.txt: there is no such file"),
        ("--codes", "lists/codes", "lists/codes: there is no such file"),
        ("--codes", "codez", "'codez' is not a file and has no digit"),
        ("--codes", " , ", "contains no value"),
        ("--code-types", "types.csv", "types.csv: there is no such file"),
        ("--npis", "npis", "'npis' is not a valid NPI; expected ten digits"),
        ("--npis", "1912951245,191295124", "'191295124' in 1912951245,191295124 is not a valid NPI"),
        ("--tins", "tins", "'tins' is not a valid TIN; expected digits"),
        ("--tins", "~/tins", "~/tins: there is no such file"),
    ],
)
def test_what_is_neither_values_nor_a_file(option: str, text: str, complaint: str) -> None:
    with pytest.raises(CommandError) as told:
        call_command("ingest_mrf", "rates.json", "--state", "GA", option, text)
    assert complaint in str(told.value)
    assert "\n" not in str(told.value)
