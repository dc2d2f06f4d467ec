"""Tables as files."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.pages.shared.downloads import content_disposition, download
from core.queries import coverage, histogram, rates
from core.queries.find import codes
from core.queries.parties import organizations, provider_rates, providers
from core.queries.yardstick import medicare
from core.workbook import About, SourceFile


@dataclass
class Row:
    name: str
    codes: list[str]
    number: float | None


SOURCES = [SourceFile("Peach", "GA", "2025-08", "peach.json.gz", "2025-08-01")]
MADE_AT = datetime(2025, 9, 2, 6, 30, tzinfo=UTC)


def about() -> About:
    return About(
        "Rates", "https://example.com/rates/?code=99213", [("State", "Georgia")], SOURCES, 7, "0a1b2c3d", MADE_AT
    )


def content(rows: Any, format: str) -> str:  # noqa: A002 - as download calls it
    response: Any = download(rows, Row, "x", format, about)
    assert response["Content-Disposition"] == f'attachment; filename="x.{format}"'
    return b"".join(response.streaming_content).decode()


def test_spreadsheets_are_not_given_formulas() -> None:
    rows = [Row("=1+1", ["11", "22"], -1.5), Row('a,"b"\n', [], None)]
    assert content(rows, "csv") == 'name,codes,number\r\n\'=1+1,11 22,-1.5\r\n"a,""b""\n",,\r\n'


def test_a_long_table_is_whole() -> None:
    rows = [Row(f"é{n}", [], n) for n in range(1_234)]
    lines = content(rows, "csv").splitlines()
    assert lines[1:] == [f"é{n},,{n}" for n in range(1_234)]
    assert [row["number"] for row in json.loads(content(iter(rows), "json"))["rows"]] == list(range(1_234))


def test_an_empty_table_has_its_header() -> None:
    assert content([], "csv") == "name,codes,number\r\n"
    assert json.loads(content([], "json")) == {"rows": []}


def test_parquet_has_types() -> None:
    rows = [Row("a", ["11", "22"], 1.5), Row("=b", [], None)]
    response: Any = download(iter(rows), Row, "x", "parquet", about)
    assert response["Content-Disposition"] == 'attachment; filename="x.parquet"'
    table = pq.read_table(pa.BufferReader(b"".join(response.streaming_content)))
    assert table.to_pylist() == [vars(row) for row in rows]
    assert table.schema.field("number").type == pa.float64()
    empty: Any = download([], Row, "x", "parquet", about)
    assert pq.read_table(pa.BufferReader(b"".join(empty.streaming_content))).column_names == ["name", "codes", "number"]


@pytest.mark.parametrize(
    "kind",
    [
        codes.CodeTitle, coverage.Coverage, histogram.Bin, medicare.Basis, medicare.Comparison, medicare.PercentSpread,
        organizations.Organization, provider_rates.CodeRates, providers.ProviderGroupPage, providers.Npi,
        rates.RateRow, rates.Summary,
    ],
)  # fmt: skip
def test_every_kind_of_row_has_a_type_in_parquet(kind: type) -> None:
    response: Any = download([], kind, "x", "parquet", about)
    table = pq.read_table(pa.BufferReader(b"".join(response.streaming_content)))
    assert table.column_names == [field.name for field in fields(kind)]


def test_dates_are_iso_and_what_is_unknown_is_refused() -> None:
    rows: list[Any] = [Row(date(2025, 8, 1), [], datetime(2025, 8, 1, 12))]  # type: ignore[arg-type]  # noqa: DTZ001
    assert json.loads(content(rows, "json"))["rows"][0] == {
        "name": "2025-08-01",
        "codes": [],
        "number": "2025-08-01T12:00:00Z",
    }
    with pytest.raises(TypeError):
        content([Row("x", [], object())], "json")  # type: ignore[arg-type]


def test_what_goes_wrong_at_once_is_told_before_the_answer_begins() -> None:
    def broken() -> Iterator[Row]:
        yield Row("x", [], 1 / len(""))

    with pytest.raises(ZeroDivisionError):
        download(broken(), Row, "x", "csv", about)


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("rates_99213", 'attachment; filename="rates_99213.csv"'),
        ('a"b\\c', 'attachment; filename="a_b_c.csv"'),
        (
            "a\r\nSet-Cookie: x",
            "attachment; filename=\"a_Set-Cookie__x.csv\"; filename*=UTF-8''a%20Set-Cookie_%20x.csv",
        ),
        ("../../etc/passwd", 'attachment; filename="_.._etc_passwd.csv"'),
        ("é\u202e😀", "attachment; filename=\"__.csv\"; filename*=UTF-8''%C3%A9%F0%9F%98%80.csv"),
        ("\x00\x07..", 'attachment; filename="table.csv"'),
        ("100%;x=1", "attachment; filename=\"100__x_1.csv\"; filename*=UTF-8''100%25%3Bx%3D1.csv"),
    ],
)
def test_a_download_s_name_is_safe_in_every_program(name: str, header: str) -> None:
    assert content_disposition(name, "csv") == header
    answer: Any = download([], Row, name, "csv", about)
    assert answer["Content-Disposition"] == header


def test_a_download_s_name_fits_into_every_file_system() -> None:
    header = content_disposition("😀" * 5_000_000, "parquet")
    assert len(unquote(header.rsplit("''", 1)[1]).encode()) <= 255
