"""Families of codes: by name, and in SQL as in Python."""

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fields.codes.code_family import FIRST_CODES, family_of, list_families
from core.queries.rules.code_families import family_sql

CODES = st.one_of(
    st.sampled_from([first for first, _ in FIRST_CODES]),
    st.from_regex("[0-9A-Z][0-9]{3}[0-9A-Z]", fullmatch=True),
    st.text("09AMZ", max_size=6),
)
SYSTEMS = st.sampled_from(["CPT", "HCPCS", "MS-DRG", "REV", "CDT", "APC", "LOCAL"])


@pytest.mark.parametrize(
    ("code_type", "code", "family"),
    [
        ("CPT", "99213", "visits and consultations"),
        ("CPT", "73721", "X-ray, CT, and MRI"),
        ("CPT", "27447", "surgery of bones and joints"),
        ("CPT", "90471", "vaccines and immune globulins"),
        ("CPT", "97110", "physical and occupational therapy"),
        ("CPT", "80053", "laboratory tests"),
        ("CPT", "0042T", "new technology"),
        ("CPT", "0001U", "laboratory tests"),
        ("CPT", "00100", "anesthesia"),
        ("HCPCS", "J1885", "drugs"),
        ("HCPCS", "A0429", "ambulance"),
        ("HCPCS", "L1833", "braces and prosthetics"),
        ("MS-DRG", "470", "inpatient stays"),
        ("REV", "0450", "hospital departments"),
        ("LOCAL", "99213", "other codes"),
        ("CPT", "9921", "other codes"),
    ],
)
def test_a_code_belongs_to_the_family_of_its_number(code_type: str, code: str, family: str) -> None:
    assert family_of(code_type, code) == family


def test_ranges_are_in_order() -> None:
    starts = [first for first, _ in FIRST_CODES]
    assert starts == sorted(set(starts))


@given(st.lists(st.tuples(SYSTEMS, CODES), max_size=20))
def test_families_in_sql_are_those_in_python(codes: list[tuple[str, str]]) -> None:
    for code_type, code in codes:
        found = duckdb.execute(
            f"SELECT {family_sql()} FROM (SELECT $1 AS code_type, $2 AS code)", [code_type, code]
        ).fetchall()
        assert found == [(family_of(code_type, code),)]
        assert found[0][0] in list_families()
