"""Read OPPSCAP, the amounts of imaging services that the hospital outpatient price limits.

The technical part of imaging is paid at most what OPPS pays (section 5102(b) of the Deficit Reduction Act of 2005). For
active codes the file has the amount after the limit. For codes that the contractor prices it has the limit itself,
which no contractor's price may exceed, and no other amount is published.
"""

from core.fields.codes.billing_code import restore_leading_zeros
from core.reference import recognize
from core.reference.medicare.scaled_numbers import parse_money
from core.reference.spreadsheets import Sheet
from core.runtime.errors import ReferenceFileError

ImagingCaps = dict[tuple[str, str, str, str], tuple[int, int]]
"""Non-facility and facility amount in cents, by code, modifier, contractor, and locality."""

_CODE, _MODIFIER, _CONTRACTOR, _LOCALITY, _FACILITY, _NONFACILITY = 0, 1, 3, 4, 5, 6


def read_imaging_caps(sheet: Sheet) -> ImagingCaps:
    """Return the amounts of an OPPSCAP file. Raise ReferenceFileError if it is not as CMS publishes it."""
    header = recognize.find_header(sheet.rows, recognize.OPPS_CAP) or 0
    caps: ImagingCaps = {}
    for number, row in enumerate(sheet.rows[header + 1 :], header + 2):
        if len(row) <= _NONFACILITY or not row[_CONTRACTOR].isdigit():
            continue  # an end-of-file mark, or blanks
        key = (
            restore_leading_zeros(row[_CODE]), row[_MODIFIER], row[_CONTRACTOR].zfill(5), row[_LOCALITY].zfill(2),
        )  # fmt: skip
        try:
            amounts = parse_money(row[_NONFACILITY]), parse_money(row[_FACILITY])
        except ValueError as error:
            raise ReferenceFileError(f"{sheet.name}: row {number}, code {row[_CODE]}: {error}") from None
        if caps.setdefault(key, amounts) != amounts:
            raise ReferenceFileError(
                f"{sheet.name}: row {number}: code {' '.join(key[:2]).strip()} has two amounts in locality {key[3]} of "
                f"contractor {key[2]}; expected one"
            )
    if not caps:
        raise ReferenceFileError(f"{sheet.name}: no amounts below the header")
    return caps
