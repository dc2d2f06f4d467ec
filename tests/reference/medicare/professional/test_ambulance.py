"""The ambulance fee schedule, as the public use file has it: by contractor and locality, with n/a."""

from pathlib import Path

import pytest

from core.reference.benchmark_kinds import load_benchmark
from core.runtime.errors import ReferenceFileError
from core.store.generations.store import Store
from tests.stores import open_snapshot

TITLES = (
    "CONTRACTOR/CARRIER\tLOCALITY\tHCPCS\tRVU\tGPCI\tBASE RATE\tURBAN BASE RATE / URBAN MILEAGE\t"
    "RURAL BASE RATE / RURAL MILEAGE\tRURAL BASE RATE / LOWEST QUARTILE\tRURAL GROUND MILES 1-17*\n"
)
ROWS = """\
10212\t01\tA0425\t1.00\t0.997\t9.15\t9.33\t9.42\tn/a\t14.13
10212\t01\tA0429\t1.60\t0.997\t284.56\t$463.44\t$467.98\t$573.74\tn/a
10212\t99\tA0429\t1.60\t0.883\t284.56\t$426.40\t"$1,430.58"\t$527.89\tn/a
2102\t1\tA0429\t1.60\t1.081\t284.56\t490.73\t495.54\t607.53\tn/a
2102\t1\tA0434\t3.25\t1.081\t284.56\tn/a\tn/a\tn/a\tn/a
* miles
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "508-compliant-version-of-AFS2026_PUF_ext.txt"
    path.write_text(TITLES + ROWS, encoding="utf-8")
    return path


def test_a_states_amounts_are_means_over_its_localities(store: Store, table: Path) -> None:
    loaded = load_benchmark(store, "ambulance", [table])
    assert (loaded.release, loaded.months[-1], loaded.states) == ("2026-01", "2026-12", ("AK", "GA"))
    assert (loaded.rows_read, loaded.rows_priced, loaded.left_out) == (3, 2, {"not priced": 1})
    rows = open_snapshot(store).rows(
        """SELECT state, code_type, code, amount, rural_amount, super_rural_amount, rural_first_miles, localities,
                  reason
           FROM bench_ambulance WHERE year_month = '2026-03' ORDER BY state, code"""
    )
    assert rows == [
        ("AK", "HCPCS", "A0429", 490.73, 495.54, 607.53, None, 1, None),
        ("AK", "HCPCS", "A0434", None, None, None, None, 1, "not priced"),
        ("GA", "HCPCS", "A0425", 9.33, 9.42, None, 14.13, 1, None),
        (
            "GA", "HCPCS", "A0429", pytest.approx((463.44 + 426.40) / 2), pytest.approx((467.98 + 1430.58) / 2),
            pytest.approx((573.74 + 527.89) / 2), None, 2, None,
        ),
    ]  # fmt: skip


def test_what_is_wrong_with_a_file_is_told(store: Store, table: Path) -> None:
    def complaint(text: str, name: str = "AFS2026.txt") -> str:
        path = table.with_name(name)
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ReferenceFileError) as raised:
            load_benchmark(store, "ambulance", [path])
        assert store.manifest() is None
        return str(raised.value)

    assert "row 3, code A0429: '$x' is not an amount" in complaint(TITLES + ROWS.replace("$463.44", "$x"))
    assert "code A0429 has two amounts in locality 01 of contractor 10212" in complaint(
        TITLES + ROWS.replace("10212\t99", "10212\t1")
    )
    assert "no ambulance codes (A0425…) below the header" in complaint(TITLES)
    assert "name its first month with --year-month" in complaint(TITLES + ROWS, "fares.txt")
    unknown = table.with_name("AFS2026.txt")
    unknown.write_text(TITLES + ROWS.replace("2102\t", "99999\t"), encoding="utf-8")
    notes = load_benchmark(store, "ambulance", [unknown]).notes
    assert "contractors that this version does not know are left out: 99999" in notes
