"""Compare the rows of docs/checked-by-hand.md with what the program says of the same rates.

    python -m bench.checked_by_hand STORE

STORE is one that `python -m bench.coverage STORE --build DIRECTORY` has made. Each row names a rate of a real file and
what it was compared with, by hand. The command fails if a rate is not there, or is compared otherwise.
"""

import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from core.queries.comparison.compared_rates import compared_sql
from core.queries.rules.rate_kinds import MACROS
from core.store.connection import QueryLimits, Snapshot
from core.store.generations.store import Store
from core.store.reader import Reader

PAGE = Path(__file__).resolve().parents[1] / "docs" / "checked-by-hand.md"


@dataclass(frozen=True)
class HandRow:
    """A row of the page. A rate without an amount has a reason instead."""

    number: int
    payer: str
    month: str
    code: str
    modifier: str
    places: str
    rate: Decimal
    compared_with: str
    arithmetic: str
    amount: Decimal | None
    percent: Decimal | None


def read_page(page: Path = PAGE) -> list[HandRow]:
    """Return the forty rows of the page."""
    found = []
    for line in page.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 10 or not cells[0].isdigit():
            continue
        number, whose, code, places, rate, compared_with, arithmetic, amount, percent, _ = cells
        payer, _, month = whose.partition(" ")
        code, _, modifier = code.partition("-")
        found.append(
            HandRow(
                int(number),
                payer,
                month,
                code,
                modifier,
                places,
                _decimal(rate),
                compared_with,
                arithmetic,
                _decimal(amount) if amount else None,
                _decimal(percent.rstrip("%")) if percent else None,
            )
        )
    return found


def _decimal(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def _exact(number: float | None) -> Decimal | None:
    return None if number is None else Decimal(str(number))


def find_differences(db: Snapshot, rows: list[HandRow]) -> list[str]:
    """Return a line for each row whose rate is not in the store, or is compared otherwise there."""
    sql = f"""{compared_sql("f.code = $code AND f.billing_code_modifier = $modifier AND f.year_month LIKE $month")}
        SELECT DISTINCT coalesce(basis, reason), medicare, percent FROM compared
        WHERE reporting_entity_name LIKE $payer AND places = $places AND round(negotiated_rate, 2) = $rate"""
    found = []
    for row in rows:
        values = {"code": row.code, "modifier": row.modifier, "payer": f"{row.payer}%", "places": row.places}
        answers = db.rows(sql, {**values, "rate": float(row.rate), "month": f"{row.month}%"})
        by_hand = (row.compared_with, row.amount, row.percent)
        by_program = {(outcome, _exact(medicare), _exact(percent)) for outcome, medicare, percent in answers}
        if not any(_agrees(by_hand, one) for one in by_program):
            found.append(f"row {row.number}: by hand {by_hand}, the program says {sorted(map(str, by_program))}")
    return found


def _agrees(
    by_hand: tuple[str, Decimal | None, Decimal | None], by_program: tuple[str, Decimal | None, Decimal | None]
) -> bool:
    (outcome, amount, percent), (said, medicare, of_medicare) = by_hand, by_program
    if outcome != said or amount is None or medicare is None or percent is None or of_medicare is None:
        return outcome == said and amount is None and medicare is None
    return abs(amount - medicare) < Decimal("0.00001") and abs(percent - 100 * of_medicare) <= Decimal("0.0051")


def main() -> None:
    """Print the differences, and fail if there are any."""
    root = Path(sys.argv[1]).absolute()
    db = Reader(Store(root), QueryLimits(seconds=600, temp_directory=str(root / "tmp")), MACROS).snapshot()
    if db is None:
        sys.exit(f"{root}: nothing is loaded there; make the store with python -m bench.coverage {root} --build FILES")
    rows = read_page()
    differences = find_differences(db, rows)
    for line in differences:
        print(line)
    print(f"{len(rows) - len(differences)} of {len(rows)} rows agree")
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main()
