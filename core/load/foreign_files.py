"""Name files that are not payers' files: a hospital's charges, or a table that an agency publishes."""

from pathlib import Path

from core.reference.nppes.nppes_csv import find_nppes_files
from core.reference.nppes.taxonomy import is_taxonomy
from core.reference.recognize import FILE_KINDS, kind_of_sheet
from core.reference.spreadsheets import read_sheets
from core.runtime.errors import BeaconError
from core.tic.source import Source

MAX_TABLE_BYTES = 64 << 20
"""The largest file that is read as a table, to find out which. Agencies' tables have a few megabytes."""

_HEAD_BYTES = 1 << 16
_HOSPITAL_TITLES = (b"hospital_name", b"standard_charge", b"standard charge", b"gross_charge", b"gross charge")
_HOSPITAL = "a hospital's standard-charges file"


def name_foreign_file(path: Path, name: str) -> str | None:
    """Return the error text for a file that could not be opened, if it is known what it is; `name` is what to call it.

    A zip file without payers' data may contain the tables of an agency.
    """
    kind = _name_table(path)
    return _refusal(name, kind) if kind else None


def name_foreign_document(document: Source) -> str | None:
    """Return the error text for a document that could not be loaded, if it is known what it is."""
    try:
        head = next(document.read_blocks(), b"")[:_HEAD_BYTES]
    except BeaconError:
        return None
    begins = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if begins == b"{" or not begins:
        return None  # a JSON object names its kind by its keys, see core.tic.header
    titles = head.lower()
    if any(title in titles for title in _HOSPITAL_TITLES):
        return _refusal(document.name, _HOSPITAL)
    # The file itself is a table only if the document is all of it: not packed, and not a member of a zip file.
    kind = _name_table(document.path) if document.member is None and begins != b"[" else None
    return _refusal(document.name, kind) if kind else None


def _name_table(path: Path) -> str | None:
    """Return what to call an agency's table, or None if it is not one that this program knows."""
    try:
        if find_nppes_files(path):
            return "a file of the NPPES register (load_nppes)"
        if path.stat().st_size > MAX_TABLE_BYTES:
            return None
        if is_taxonomy(path):
            return "NUCC's provider taxonomy (load_nppes)"
        for sheet in read_sheets(path, max_bytes=MAX_TABLE_BYTES):
            if kind := kind_of_sheet(sheet):
                return f"{FILE_KINDS[kind].name} ({FILE_KINDS[kind].command})"
            if sheet.rows and any("hospital_name" in cell.lower() for cell in sheet.rows[0]):
                return _HOSPITAL
    except (BeaconError, OSError, ValueError):
        pass  # a table that cannot be read has no name
    return None


def _refusal(name: str, kind: str) -> str:
    return f"{name}: not an in-network file but {kind}; this command loads payers' in-network files"
