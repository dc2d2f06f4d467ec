"""Which payer a line of a clinic is of, by the name or the part of a name that is written in it."""

from collections.abc import Mapping, Sequence

from core.fields.codes.clinic_lines import BadLine, ClinicLine
from core.fields.providers.payer_slug import make_payer_slug

_MOST_NAMED = 12


def find_payers(
    lines: Sequence[ClinicLine], payers: Mapping[str, str]
) -> tuple[list[tuple[ClinicLine, str]], list[BadLine]]:
    """Return the lines with the key of their payer, empty for every payer, and those whose payer is not known.

    `payers` are names by key. A payer is written as its key, its name, or words of its name that no other payer has.
    """
    good, bad = [], []
    for line in lines:
        slug = _find_payer(line.payer, payers) if line.payer else ""
        if slug is None:
            names = ", ".join(sorted(payers.values())[:_MOST_NAMED])
            bad.append(BadLine(line.row, f"payer: {line.payer[:40]!r} is not one of those loaded: {names}"))
        else:
            good.append((line, slug))
    return good, bad


def _find_payer(written: str, payers: Mapping[str, str]) -> str | None:
    asked = make_payer_slug(written)
    if asked in payers:
        return asked
    words = set(asked.split("_")) - {""}
    found = [slug for slug, name in payers.items() if words and words <= set(make_payer_slug(name).split("_"))]
    return found[0] if len(found) == 1 else None
