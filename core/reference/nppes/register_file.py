"""Read the NPPES register of providers, npidata_pfile: a csv of 330 columns and 10 GB, of which few are kept."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from core.fields.places.states import STATES
from core.reference.nppes.nppes_csv import (
    NppesFile,
    RegisterCounts,
    keep_wanted,
    number,
    other_name_kind,
    postal_code,
    read_columns,
    text,
)
from core.runtime.progress import Progress
from core.store.schema.tables import NPPES

MAX_TAXONOMIES = 15
"""How many taxonomy codes the file has columns for."""

_PRACTICE = "Provider Business Practice Location Address"

_COLUMNS = {
    "npi": "NPI",
    "entity": "Entity Type Code",
    "organization": "Provider Organization Name (Legal Business Name)",
    "last": "Provider Last Name (Legal Name)",
    "first": "Provider First Name",
    "credential": "Provider Credential Text",
    "address": "Provider First Line Business Practice Location Address",
    "city": f"{_PRACTICE} City Name",
    "state": f"{_PRACTICE} State Name",
    "postal_code": f"{_PRACTICE} Postal Code",
    "country": f"{_PRACTICE} Country Code (If outside U.S.)",
    "deactivated": "NPI Deactivation Date",
    "reactivated": "NPI Reactivation Date",
    **{f"taxonomy_{n}": f"Healthcare Provider Taxonomy Code_{n}" for n in range(1, MAX_TAXONOMIES + 1)},
    **{f"primary_{n}": f"Healthcare Provider Primary Taxonomy Switch_{n}" for n in range(1, MAX_TAXONOMIES + 1)},
}
"""The columns that every copy of the file has: their names here, and their titles in the file."""

_OPTIONAL = {
    "updated": "Last Update Date",
    "middle": "Provider Middle Name",
    "suffix": "Provider Name Suffix Text",
    "other_organization": "Provider Other Organization Name",
    "other_organization_type": "Provider Other Organization Name Type Code",
    "other_last": "Provider Other Last Name",
    "other_first": "Provider Other First Name",
    "other_middle": "Provider Other Middle Name",
    "other_last_type": "Provider Other Last Name Type Code",
    "address_2": "Provider Second Line Business Practice Location Address",
}
"""Columns that shortened copies of the file may lack. The update date tells which of two rows of an NPI is newer."""

_LENGTHS = {column.name: column.longest for column in NPPES.columns if column.max_length is not None}
_LENGTH_OF_NAME = NPPES.column("name").longest
_LENGTHS_OF_PARTS = {
    "taxonomy_": NPPES.column("taxonomy_code").longest,
    # First and last name are joined, so that each has half of the name; the parts of an other name have a third.
    "first": _LENGTH_OF_NAME // 2 - 1,
    "last": _LENGTH_OF_NAME // 2 - 1,
    "middle": NPPES.column("middle_name").longest,
    "other_first": _LENGTH_OF_NAME // 3 - 1,
    "other_middle": _LENGTH_OF_NAME // 3 - 1,
    "other_last": _LENGTH_OF_NAME // 3 - 1,
}

_STATE_CODES = {name.upper(): code for code, name in STATES.items()}


def read_register(
    file: NppesFile, in_use: npt.NDArray[np.int64] | None, counts: RegisterCounts, progress: Progress | None = None
) -> Iterator[pl.DataFrame]:
    """Yield the register's rows in the file's order, some 16,000 at a time, with the columns of the table nppes.

    `in_use` are the NPIs that are wanted, sorted (None: all). `counts` is updated as rows are read. Raise
    ReferenceFileError if the file is not the register or ends within a row.
    """
    for rows in read_columns(file, _COLUMNS, _OPTIONAL, _max_length, counts, progress):
        found = _normalize(keep_wanted(rows, in_use, counts), counts)
        if len(found):
            yield found


def _max_length(name: str) -> int:
    """Return the characters that a text may have."""
    if name.startswith("taxonomy_"):
        return _LENGTHS_OF_PARTS["taxonomy_"]
    return _LENGTHS_OF_PARTS.get(name) or _LENGTHS.get(name, _LENGTH_OF_NAME)


def _normalize(valid: pl.DataFrame, counts: RegisterCounts) -> pl.DataFrame:
    # Each text is cleaned once: most are used by several of the columns that are made of them.
    cleaned = valid.with_columns(
        number(name) if name in _NUMBERS else text(name).str.to_uppercase() if name in _CAPITALS else text(name)
        for name in valid.columns
        if name != "npi"
    ).with_columns(
        is_person=pl.col("entity").eq_missing("1"),
        deactivated_day=_day("deactivated"),
        reactivated_day=_day("reactivated"),
        updated_day=_day("updated"),
    )
    found = cleaned.select(
        "npi",
        pl.col("entity")
        .replace_strict({"1": "individual", "2": "organization"}, default=None, return_dtype=pl.String)
        .alias("entity_type"),
        _name().alias("name"),
        "credential",
        _taxonomy().alias("taxonomy_code"),
        "address",
        "city",
        pl.col("state").replace(_STATE_CODES),
        postal_code(pl.col("postal_code"), pl.col("country")).alias("postal_code"),
        _deactivated_on().alias("deactivated_on"),
        _of_person("first").alias("first_name"),
        _of_person("middle").alias("middle_name"),
        _of_person("suffix"),
        _other_name().alias("other_name"),
        _other_name_kind().alias("other_name_kind"),
        "address_2",
        _updated_on().alias("updated_on"),
        unreadable=_unreadable("deactivated") | _unreadable("reactivated") | _unreadable("updated"),
        listed=pl.col("taxonomy_1").is_not_null(),
    )
    for note, count in (
        ("unreadable_date", found["unreadable"].sum()),
        ("no_primary_taxonomy", found.filter(pl.col("listed") & pl.col("taxonomy_code").is_null()).height),
    ):
        if count:
            counts.notes[note] += int(count)
    return found.drop("unreadable", "listed")


_NUMBERS = frozenset(("entity", "postal_code", "other_organization_type", "other_last_type"))
_CAPITALS = frozenset(
    ("state", *(f"{name}_{n}" for name in ("taxonomy", "primary") for n in range(1, MAX_TAXONOMIES + 1)))
)


def _of_person(column: str) -> pl.Expr:
    return pl.when("is_person").then(pl.col(column))


def _join(*columns: str) -> pl.Expr:
    joined = pl.concat_str(columns, separator=" ", ignore_nulls=True)
    return pl.when(joined != "").then(joined)


def _name() -> pl.Expr:
    """Return an organization's legal name, or a person's first and last name."""
    person = _join("first", "last")
    return pl.when("is_person").then(person).otherwise(pl.coalesce(pl.col("organization"), person))


def _other_name() -> pl.Expr:
    """Return another name of an organization, or another first, middle and last name of a person."""
    person = pl.when(pl.col("other_last").is_not_null()).then(_join("other_first", "other_middle", "other_last"))
    return pl.when("is_person").then(person).otherwise(pl.col("other_organization"))


def _other_name_kind() -> pl.Expr:
    named = pl.when("is_person").then(pl.col("other_last")).otherwise(pl.col("other_organization"))
    code = pl.when("is_person").then(pl.col("other_last_type")).otherwise(pl.col("other_organization_type"))
    return pl.when(named.is_not_null()).then(other_name_kind(code))


def _taxonomy() -> pl.Expr:
    """Return the taxonomy flagged as primary; if none is flagged, the one that is listed, if there is only one."""
    codes = [pl.col(f"taxonomy_{n}") for n in range(1, MAX_TAXONOMIES + 1)]
    flagged = [pl.when(pl.col(f"primary_{n}") == "Y").then(code) for n, code in enumerate(codes, 1)]
    alone = pl.all_horizontal([code.is_null() | (code == codes[0]) for code in codes[1:]])
    return pl.coalesce([*flagged, pl.when(alone).then(codes[0])])


def _day(column: str) -> pl.Expr:
    written = pl.col(column)
    american = written.str.to_date("%m/%d/%Y", strict=False)
    return pl.coalesce(american, written.str.to_date("%Y-%m-%d", strict=False))


def _unreadable(column: str) -> pl.Expr:
    return pl.col(column).is_not_null() & pl.col(f"{column}_day").is_null()


def _updated_on() -> pl.Expr:
    """Return when the row was written, or the NPI reactivated.

    NPPES blanks the date, as all else, in the row of a deactivated NPI, whose own date is that of the deactivation.
    """
    return pl.max_horizontal("updated_day", "reactivated_day")


def _deactivated_on() -> pl.Expr:
    """Return when the NPI was deactivated, or null if it has been reactivated since."""
    day, again = pl.col("deactivated_day"), pl.col("reactivated_day")
    return pl.when(again.is_null() | (again < day)).then(day)
