"""Read ASC Addendum FF: the part of a device-intensive procedure's rate that pays for its device.

The device costs the same everywhere, so that Medicare adjusts only the rest of the rate by wages (42 CFR 416.172).
"""

from core.fields.codes.billing_code import restore_leading_zeros
from core.reference import recognize
from core.reference.medicare.addenda import NationalPrice
from core.reference.medicare.scaled_numbers import parse_money
from core.reference.spreadsheets import Sheet
from core.runtime.errors import ReferenceFileError

DEVICE_INTENSIVE = "J8"
"""The indicator of procedures whose device is paid apart. Others' devices are adjusted with the rest."""


def read_device_parts(sheet: Sheet, prices: list[NationalPrice]) -> dict[str, int]:
    """Return the device part, in thousandths of a dollar, of each device-intensive procedure among `prices`.

    Raise ReferenceFileError if the file is not as CMS publishes it, or a part is more than the procedure's rate.
    """
    header = recognize.find_header(sheet.rows, recognize.DEVICE_OFFSETS) or 0
    titles = recognize.header_titles(sheet.rows, recognize.DEVICE_OFFSETS)
    code = next(n for n, title in enumerate(titles) if "HCPCS" in title)
    # "Device Offset Amount / Device Portion". The columns before it have percentages.
    amount = next((n for n, title in enumerate(titles) if "OFFSET AMOUNT" in title), None)
    if amount is None:
        raise ReferenceFileError(
            f"{sheet.name}: no column of device offset amounts; expected Addendum FF, as CMS has it"
        )
    rates = {price.code: price.rate or 0 for price in prices if price.indicator == DEVICE_INTENSIVE}
    parts: dict[str, int] = {}
    for number, row in enumerate(sheet.rows[header + 1 :], header + 2):
        if len(row) <= max(code, amount) or not row[amount]:
            continue
        name = restore_leading_zeros(row[code])
        if not rates.get(name):
            continue
        try:
            part = parse_money(row[amount], 3)
        except ValueError as error:
            raise ReferenceFileError(f"{sheet.name}: row {number}, code {name}: {error}") from None
        if part > rates[name]:
            raise ReferenceFileError(
                f"{sheet.name}: row {number}, code {name}: the device part {row[amount]} is more than the rate "
                f"${rates[name] / 1000:,.2f}; give the addenda of one quarter"
            )
        parts[name] = part
    return parts
