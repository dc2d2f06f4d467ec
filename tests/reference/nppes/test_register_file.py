"""The register of providers: what is read of NPPES's file, against a slow reading of it."""

import csv
import random
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.demo.provider_register import HEADER, write_register
from core.reference.nppes.nppes_csv import RegisterCounts, find_nppes_files
from core.reference.nppes.register_file import read_register
from core.runtime.errors import ReferenceFileError
from tests.reference.nppes import slow

PRACTICE = "Provider Business Practice Location Address "


def read(path: Path, in_use: list[int] | None = None) -> tuple[list[dict[str, Any]], RegisterCounts]:
    counts = RegisterCounts()
    wanted = None if in_use is None else np.array(sorted(in_use), np.int64)
    (file,) = find_nppes_files(path)
    rows = [row for frame in read_register(file, wanted, counts) for row in frame.to_dicts()]
    assert counts.rows_read == counts.kept + counts.not_in_use + counts.rejected.total()
    assert counts.kept == len(rows)
    return rows, counts


def write(path: Path, rows: list[dict[str, str]], quoting: Any = csv.QUOTE_ALL) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, HEADER, restval="", quoting=quoting)
        writer.writeheader()
        writer.writerows(rows)
    return path


spaces = st.sampled_from(["", "", "", " "])
dates = st.sampled_from(["", "03/03/2021", "03/04/2021", "3/3/2021", "2021-03-03", "02/30/2021", "soon"])
row = st.fixed_dictionaries(
    {
        "NPI": st.sampled_from(["1679576722", "1588667638.0", " 1295738227", "2790708186", "", "0", "167957672", "3x"]),
        "Entity Type Code": st.sampled_from(["1", "2", "1.0", "2.0", "", "3"]),
        "Provider Organization Name (Legal Business Name)": st.sampled_from(["", "A, B & SONS", 'THE "X" CO', "A\nB"]),
        "Provider Last Name (Legal Name)": st.sampled_from(["", "WIEBE", "NÚÑEZ", "<UNAVAIL>"]),
        "Provider First Name": st.sampled_from(["", "DAVID", " A "]),
        "Provider Credential Text": st.sampled_from(["", "M.D.", " PT "]),
        "Provider First Line Business Practice Location Address": st.sampled_from(["", "1 A ST"]),
        PRACTICE + "City Name": st.sampled_from(["", "KEARNEY"]),
        PRACTICE + "State Name": st.sampled_from(["", "NE", "ga", "Georgia", "ONTARIO", "NEW YORK"]),
        PRACTICE + "Postal Code": st.sampled_from(
            ["", "2138", "2138.0", "21381234.0", "601234", "688472944", "K1A 0B1", "00901"]
        ),
        PRACTICE + "Country Code (If outside U.S.)": st.sampled_from(["", "US", "CA", "us"]),
        "NPI Deactivation Date": dates,
        "NPI Reactivation Date": dates,
        "Last Update Date": dates,
        "Provider Middle Name": st.sampled_from(["", "Q", " LEE "]),
        "Provider Name Suffix Text": st.sampled_from(["", "JR."]),
        "Provider Other Organization Name": st.sampled_from(["", "<UNAVAIL>", "A CLINIC"]),
        "Provider Other Organization Name Type Code": st.sampled_from(["", "3", "3.0", "6"]),
        "Provider Other Last Name": st.sampled_from(["", "DAY"]),
        "Provider Other First Name": st.sampled_from(["", "ANN"]),
        "Provider Other Middle Name": st.sampled_from(["", "LEE"]),
        "Provider Other Last Name Type Code": st.sampled_from(["", "1", "5.0"]),
        "Provider Second Line Business Practice Location Address": st.sampled_from(["", "STE 2", "<UNAVAIL>"]),
        **{
            f"Healthcare Provider Taxonomy Code_{n}": st.sampled_from(["", "207X00000X", "207x00000x", "208000000X"])
            for n in (1, 2, 15)
        },
        **{
            f"Healthcare Provider Primary Taxonomy Switch_{n}": st.sampled_from(["", "Y", "N", "X", " y"])
            for n in (1, 2, 15)
        },
    },
)


@given(st.lists(row, max_size=8), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_rows_say_what_a_slow_reading_says(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]], quoting: Any
) -> None:
    path = write(tmp_path_factory.mktemp("nppes") / "npidata.csv", rows, quoting)
    expected = slow.register(path)
    found, counts = read(path)
    assert found == expected
    assert counts.rows_read == len(rows)
    assert counts.rejected.total() == len(rows) - len(expected)
    some = [int(provider["npi"]) for provider in expected[::2]]
    wanted, counts = read(path, some)
    assert wanted == [provider for provider in expected if int(provider["npi"]) in some]
    assert counts.not_in_use == len(expected) - len(wanted)


@pytest.mark.parametrize(("name", "rows"), [("npidata_sample_raw.csv", 99), ("nppes_sample_1000.csv", 1000)])
def test_real_files_raw_and_mangled(shared: Path, name: str, rows: int) -> None:
    path = shared / "nppes" / name
    found, counts = read(path)
    assert found == slow.register(path)
    assert (len(found), counts.rejected) == (rows, Counter())
    (surgeon,) = (provider for provider in found if provider["npi"] == "1679576722")
    assert surgeon["entity_type"] == "individual"
    assert (surgeon["name"], surgeon["postal_code"]) == ("DAVID WIEBE", "688472944")


def test_the_header_is_nppes_s(shared: Path) -> None:
    with (shared / "nppes" / "npidata_sample_raw.csv").open(newline="") as file:
        assert tuple(next(csv.reader(file))) == HEADER


def test_many_rows_in_any_order_through_a_zip_file(tmp_path: Path) -> None:
    rng = random.Random(3)
    numbers = rng.sample(range(1_000_000_000, 1_999_999_999), 35_000)
    rows = [
        {"NPI": str(number), "Entity Type Code": "1", "Provider Last Name (Legal Name)": f"N{number}"}
        for number in numbers
    ]
    path = write(tmp_path / "npidata_pfile_20050523-20251109.csv", rows)
    packed = tmp_path / "NPPES_Data_Dissemination.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("endpoint_pfile.csv", "NPI,Endpoint Type\n")
        archive.writestr("npidata_pfile_20050523-20251109_fileheader.csv", ",".join(HEADER) + "\n")
        archive.write(path, path.name)
        archive.writestr("NPPES_Data_Dissemination_Readme.pdf", b"%PDF")
    seen: list[tuple[int, int]] = []
    counts = RegisterCounts()
    (file,) = find_nppes_files(packed)
    found = [
        name
        for frame in read_register(file, None, counts, lambda done, total: seen.append((done, total)))
        for name in frame["name"]
    ]
    assert found == [f"N{number}" for number in numbers]
    assert seen[-1][0] <= seen[-1][1] == packed.stat().st_size
    some = numbers[::1000]
    assert [row["npi"] for row in read(packed, some)[0]] == [str(number) for number in some]


def test_rows_of_another_width_are_counted(tmp_path: Path) -> None:
    path, _ = write_register(tmp_path)
    whole = len(read(path)[0])
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines[:3], '"1234567893","1","too short"\n', *lines[3:]]))
    found, counts = read(path)
    assert (len(found), counts.rejected) == (whole, Counter(columns=1))


def test_bytes_that_are_no_utf_8_cost_no_row(tmp_path: Path) -> None:
    path = write(tmp_path / "n.csv", [{"NPI": "1679576722", "Provider Last Name (Legal Name)": "NÚÑEZ"}] * 2)
    path.write_bytes(path.read_text().encode("latin-1"))
    assert [row["name"] for row in read(path)[0]] == ["NÚÑEZ", "NÚÑEZ"]


def test_what_is_wrong_with_a_file_is_told(tmp_path: Path) -> None:
    path, _ = write_register(tmp_path)
    assert find_nppes_files(path)
    text = path.read_text()

    def complaint(content: str | bytes, name: str = "other.csv") -> str:
        other = tmp_path / name
        other.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(ReferenceFileError) as raised:
            read(other) if find_nppes_files(other) else None
        return str(raised.value)

    assert "ends within a row; the file was cut short" in complaint(text[:-200])
    assert "has no column 'NPI Deactivation Date'" in complaint(text.replace("NPI Deactivation Date", "x"))
    packed = tmp_path / "n.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, "npidata.csv")
    content = packed.read_bytes()
    assert "damaged or cut short" in complaint(content[:-100], "a.zip")
    assert "damaged or cut short" in complaint(content[:3000] + bytes(500) + content[3500:], "b.zip")
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("readme.txt", "x")
    assert not find_nppes_files(packed)
    with pytest.raises(ReferenceFileError, match="cannot be read: No such file"):
        find_nppes_files(tmp_path / "none.csv")
