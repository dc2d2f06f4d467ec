"""Read CMS's files of what was billed to Medicare, by provider and service or by geography and service.

The files are "Medicare Physician & Other Practitioners" as CMS publishes them, csv or (up to 2017) tab-separated text,
alone or in a zip file, recognized by their columns. Column names have changed three times, so each column has several.
A file is streamed: the whole country's has 3 GB. Sources: CMS's data dictionaries of 2012 to 2025.
"""

import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

import polars as pl
import pyarrow as pa
import pyarrow.csv as arrow_csv

from core.fields.codes.billing_code import HCPCS_CODE_PATTERN
from core.fields.places.states import FIPS_STATES, STATES
from core.fields.providers.npi import NPI_PATTERN
from core.reference.streamed_csv import BLOCK_BYTES, ends_with_line_break, open_csv, plain_errors
from core.runtime.errors import CUT_SHORT, ReferenceFileError
from core.runtime.progress import Progress

BY_PROVIDER, BY_GEOGRAPHY = "by provider", "by geography"

FIRST_YEAR = 2012
"""The first year that CMS has published."""

_CODE = ("HCPCS_Cd", "HCPCS_Code", "HCPCS Code")
_PLACE = ("Place_Of_Srvc", "Place_Of_Service", "Place of Service")
_BENEFICIARIES = (
    "Tot_Benes", "Bene_Unique_Cnt", "Number of Medicare Beneficiaries", "Number of Unique Beneficiaries",
)  # fmt: skip
_SERVICES = ("Tot_Srvcs", "Line_Srvc_Cnt", "Number of Services")

_COLUMNS: dict[str, dict[str, tuple[str, ...]]] = {
    BY_PROVIDER: {
        "npi": ("Rndrng_NPI", "NPI", "National Provider Identifier"),
        "provider_type": ("Rndrng_Prvdr_Type", "Provider_Type", "Provider Type", "Provider Type of the Provider"),
        "entity": ("Rndrng_Prvdr_Ent_Cd", "NPPES_Entity_Code", "Entity Type of the Provider"),
        "code": _CODE,
        "place": _PLACE,
        "beneficiaries": _BENEFICIARIES,
        "services": _SERVICES,
    },
    BY_GEOGRAPHY: {
        "level": ("Rndrng_Prvdr_Geo_Lvl",),
        "geography": ("Rndrng_Prvdr_Geo_Cd",),
        "description": ("Rndrng_Prvdr_Geo_Desc",),
        "code": _CODE,
        "place": _PLACE,
        "clinicians": ("Tot_Rndrng_Prvdrs",),
        "beneficiaries": _BENEFICIARIES,
        "services": _SERVICES,
    },
}
"""The columns that are read: their names here, and their titles in the files, the newest first."""

_ROWS_PER_FRAME = 1 << 16
_PLACES = {"F": "facility", "O": "office"}
_STATE_CODES = {name.upper(): code for code, name in STATES.items()}
_NOT_A_PROVIDER = "0000000001"
"""The NPI of the copyright notice that stands below the header of the oldest files."""


@dataclass
class UtilizationCounts:
    """What became of the rows of a file: rows_read = kept + the sum of rejected."""

    rows_read: int = 0
    kept: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    """Rows left out, by reason: columns (more or fewer than the header has), invalid_npi, invalid_code,
    invalid_place, invalid_number, notice (the copyright notice of old files), other_area (not a state)."""


@dataclass(frozen=True)
class UtilizationFile:
    """A file of what was billed to Medicare: its path, its member in a zip file, its kind, year and column titles."""

    path: Path
    member: str | None
    kind: str
    year: int
    delimiter: str
    titles: dict[str, str]

    @property
    def name(self) -> str:
        """Return where the table is, for people."""
        return f"{self.path.name}: {self.member}" if self.member else self.path.name


def find_utilization_files(path: Path, year: int | None = None) -> list[UtilizationFile]:
    """Return the tables that a file is or contains. `year` is theirs if their names do not say it.

    Raise ReferenceFileError if there is none, or if the year is not known: no column has it.
    """
    found: list[tuple[str | None, bytes]] = []
    with plain_errors(path, path.name), path.open("rb") as file:
        if file.read(2) != b"PK":
            file.seek(0)
            found = [(None, file.readline())]
        else:
            with zipfile.ZipFile(path) as archive:
                members = [info.filename for info in archive.infolist() if _is_table_name(info.filename)]
                for member in members:
                    with archive.open(member) as stream:
                        found.append((member, stream.readline()))
    tables = [(member, header) for member, head in found if (header := _read_header(head))]
    if not tables:
        raise ReferenceFileError(
            f"{path.name}: not CMS's Medicare Physician & Other Practitioners by Provider and Service, or by Geography "
            "and Service; expected the csv or zip file as downloaded from data.cms.gov"
        )
    return [
        UtilizationFile(path, member, kind, _find_year(path, member, year), delimiter, titles)
        for member, (kind, delimiter, titles) in tables
    ]


def read_rows(
    file: UtilizationFile, counts: UtilizationCounts, progress: Progress | None = None
) -> Iterator[pl.DataFrame]:
    """Yield the rows that can be read, some 65,000 at a time, and count the others.

    Columns by provider: npi (a whole number), provider_type, entity_type, code, place, services, beneficiaries; by
    geography: state (US for the country), clinicians and the rest. Raise ReferenceFileError if the file ends within a
    row.
    """
    normalize = _provider_rows if file.kind == BY_PROVIDER else _geography_rows
    size = file.path.stat().st_size
    with plain_errors(file.path, file.name), file.path.open("rb") as content:
        with open_csv(content, file.member) as stream:
            for table in _read_tables(stream, file, counts):
                if progress:
                    progress(min(content.tell(), size), size)
                yield normalize(pl.DataFrame(table), counts)
        if file.member is None and counts.rejected["columns"] and not ends_with_line_break(content):
            raise ReferenceFileError(f"{file.name}: the file ends within a row; {CUT_SHORT}")


# --- the file -------------------------------------------------------------------------------------------------


def _is_table_name(name: str) -> bool:
    return name.lower().endswith((".csv", ".txt")) and not name.startswith("__MACOSX/")


def _read_header(line: bytes) -> tuple[str, str, dict[str, str]] | None:
    """Return the kind of table, its delimiter, and the titles of the columns that are read; None for other tables."""
    text = line.decode("utf-8-sig", "replace").rstrip("\r\n")
    delimiter = "\t" if text.count("\t") > text.count(",") else ","
    given = {title.strip().strip('"').casefold(): title.strip('"') for title in text.split(delimiter)}
    for kind, columns in _COLUMNS.items():
        found = {
            name: next((given[title.casefold()] for title in titles if title.casefold() in given), None)
            for name, titles in columns.items()
        }
        if all(title is not None for title in found.values()):
            return kind, delimiter, {name: title for name, title in found.items() if title is not None}
    return None


def _find_year(path: Path, member: str | None, year: int | None) -> int:
    """Return the year of the services from the name of a table, such as MUP_PHY_R25_P05_V20_D23_Prov_Svc.csv.

    Raise ReferenceFileError if neither the name nor `year` says it, or if they differ.
    """
    if year is not None and not FIRST_YEAR <= year < 2100:
        raise ReferenceFileError(f"--year {year}: expected a year from {FIRST_YEAR} on, such as 2023")
    names = [PurePosixPath(member).stem if member else path.stem, path.stem]
    # RY is the year of a release: the services are those of two years before, which D stands for.
    for pattern in (r"(?<![A-Z0-9])(?:D|DY)(\d\d)(?!\d)", r"(?<!\d)(20[1-4]\d)(?!\d)"):
        for name in names:
            years = {int(digits[-2:]) + 2000 for digits in re.findall(pattern, name.upper())}
            if len(years) == 1:
                (found,) = years
                if year not in {None, found}:
                    raise ReferenceFileError(
                        f"{path.name}: the name says {found}, --year says {year}; leave --year out, or rename the file"
                    )
                return found
    if year is None:
        raise ReferenceFileError(
            f"{path.name}: which year the services are of is not in the file and not in its name; say it with --year"
        )
    return year


def _read_tables(stream: IO[bytes], file: UtilizationFile, counts: UtilizationCounts) -> Iterator[pa.Table]:
    """Yield the columns that are read, as text; count and skip rows of another width than the header's."""

    def skip_row(_row: Any) -> str:
        counts.rows_read += 1
        counts.rejected["columns"] += 1
        return "skip"

    titles = list(file.titles.values())
    reader = arrow_csv.open_csv(
        stream,
        # Names of persons are not always UTF-8. They are not read, and the columns that are read are plain.
        read_options=arrow_csv.ReadOptions(block_size=BLOCK_BYTES, encoding="utf8"),
        parse_options=arrow_csv.ParseOptions(
            delimiter=file.delimiter,
            quote_char='"' if file.delimiter == "," else False,
            newlines_in_values=False,
            invalid_row_handler=skip_row,
        ),
        convert_options=arrow_csv.ConvertOptions(
            include_columns=titles,
            column_types=dict.fromkeys(titles, pa.string()),
            strings_can_be_null=False,
            check_utf8=False,
        ),
    )
    held: list[pa.RecordBatch] = []
    for batch in reader:
        held.append(batch)
        if sum(map(len, held)) >= _ROWS_PER_FRAME:
            yield pa.Table.from_batches(held).rename_columns(list(file.titles))
            held = []
    if held:
        yield pa.Table.from_batches(held).rename_columns(list(file.titles))


# --- the rows -------------------------------------------------------------------------------------------------


def _provider_rows(rows: pl.DataFrame, counts: UtilizationCounts) -> pl.DataFrame:
    counts.rows_read += len(rows)
    rows = _leave_out(rows, counts, "notice", pl.col("npi").str.strip_chars() != _NOT_A_PROVIDER)
    rows = rows.with_columns(npi=pl.col("npi").str.strip_chars().str.replace(r"\.0+$", ""))
    rows = _leave_out(rows, counts, "invalid_npi", pl.col("npi").str.contains(f"^{NPI_PATTERN}$"))
    rows = _services(rows, counts)
    counts.kept += len(rows)
    return rows.select(
        pl.col("npi").cast(pl.Int64),
        pl.col("provider_type").str.strip_chars(),
        pl.when(pl.col("entity").str.strip_chars().str.to_uppercase() == "O")
        .then(pl.lit("organization"))
        .otherwise(pl.lit("individual"))
        .alias("entity_type"),
        "code", "place", "services", "beneficiaries",
    )  # fmt: skip


def _geography_rows(rows: pl.DataFrame, counts: UtilizationCounts) -> pl.DataFrame:
    counts.rows_read += len(rows)
    # CMS writes FIPS codes, from which a spreadsheet takes the zero: names are surer.
    name = pl.col("description").str.strip_chars().str.to_uppercase()
    digits = pl.col("geography").str.strip_chars().str.replace(r"\.0+$", "").str.zfill(2)
    state = pl.coalesce(
        name.replace_strict(_STATE_CODES, default=None, return_dtype=pl.String),
        digits.replace_strict(FIPS_STATES, default=None, return_dtype=pl.String),
    )
    rows = rows.with_columns(
        state=pl.when(pl.col("level").str.strip_chars() == "National").then(pl.lit("US")).otherwise(state),
        clinicians=_number("clinicians").cast(pl.Int64),
    )
    rows = _leave_out(rows, counts, "other_area", pl.col("state").is_not_null())
    rows = _services(_leave_out(rows, counts, "invalid_number", pl.col("clinicians").is_not_null()), counts)
    counts.kept += len(rows)
    return rows.select("state", "code", "place", "clinicians", "services", "beneficiaries")


def _services(rows: pl.DataFrame, counts: UtilizationCounts) -> pl.DataFrame:
    """Return the rows with a code, a place and numbers, normalized; count the others."""
    # Spreadsheets take the zeros off anesthesia codes: 00100 becomes 100.
    code = pl.col("code").str.strip_chars().str.to_uppercase()
    rows = rows.with_columns(
        code=pl.when(code.str.contains("^[0-9]{1,4}$")).then(code.str.zfill(5)).otherwise(code),
        place=pl.col("place").str.strip_chars().str.to_uppercase().str.head(1),
        services=_number("services"),
        beneficiaries=_number("beneficiaries").cast(pl.Int64),
    )
    rows = _leave_out(rows, counts, "invalid_code", pl.col("code").str.contains(f"^{HCPCS_CODE_PATTERN}$"))
    rows = _leave_out(rows, counts, "invalid_place", pl.col("place").is_in(list(_PLACES)))
    rows = _leave_out(rows, counts, "invalid_number", (pl.col("services") >= 0) & (pl.col("beneficiaries") >= 0))
    return rows.with_columns(place=pl.col("place").replace(_PLACES))


def _number(name: str) -> pl.Expr:
    """Return a column's numbers, with or without commas between thousands; null for anything else."""
    return pl.col(name).str.strip_chars().str.replace_all(",", "").cast(pl.Float64, strict=False)


def _leave_out(rows: pl.DataFrame, counts: UtilizationCounts, reason: str, kept: pl.Expr) -> pl.DataFrame:
    """Return the rows that meet a condition, and count the others with the reason."""
    found = rows.filter(kept.fill_null(value=False))
    if len(found) < len(rows):
        counts.rejected[reason] += len(rows) - len(found)
    return found
