"""The physician fee schedule, slowly and obviously: decimal arithmetic, and the demo's files as another release."""

from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from core.demo.physician_fees import write_physician_fees
from core.reference.medicare.professional.physician_files import Locality, RelativeValue


def by_formula(value: RelativeValue, place: Locality, factor: int, *, facility: bool) -> Decimal | None:
    """Return the amount in dollars, by the regulation's formula."""
    pe = value.facility_pe if facility else value.nonfacility_pe
    total = (
        Decimal(value.work) / 100 * (Decimal(place.work) / 1000)
        + Decimal(pe) / 100 * (Decimal(place.pe) / 1000)
        + Decimal(value.malpractice) / 100 * (Decimal(place.malpractice) / 1000)
    )
    dollars = (total * (Decimal(factor) / 10_000)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    return dollars or None


def renamed(tmp_path: Path, month: str) -> list[Path]:
    """Return the demo's files as another release of the same year."""
    tmp_path.mkdir(exist_ok=True)
    paths = write_physician_fees(tmp_path)
    paths[0].write_text(paths[0].read_text().replace("January Release", f"{month} Release"))
    return paths
