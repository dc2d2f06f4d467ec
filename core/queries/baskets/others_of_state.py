"""The others of a line's rates: those of all payers and places, whatever else the question of many codes is about.

Which rates are likely errors is decided for a code's class in the state, see core/queries/comparison/left_out.py. So a
rate that is left out in the state is left out in a city, too.
"""

from collections.abc import Callable, Collection, Iterable, Sequence

from core.queries.classes.class_counts import CodeClassCount, count_classes_of_codes
from core.queries.classes.classes_of_codes import rates_of_list
from core.queries.market.market import Market
from core.queries.market.market_filters import CLASS_FILTERS, FILTERS
from core.queries.parties.middle_by_payer import class_of_all_sql
from core.queries.rules.percentiles import median
from core.store.connection import Snapshot
from core.store.sql import quote

TermsOfLines = Callable[[Sequence[CodeClassCount]], Iterable[str]]
"""Returns the terms of the rates of lines, see write_terms, of the counts of a market's rates."""


def find_middles_of_state(
    db: Snapshot, market: Market, codes: Collection[str], terms_of: TermsOfLines, measured: Collection[int]
) -> str | None:
    """Return SQL of the median of all the state's rates in dollars, by `position`, `class_of_all`, and `modifier`.

    It is None where the market has all of these rates. Then it need not be asked: the rates of the question are the
    others. `measured` are the positions whose rates are of a class as it is measured.
    """
    if not any(getattr(market, name) for name in FILTERS if name not in CLASS_FILTERS):
        return None
    whole = market.of_code
    terms = terms_of(count_classes_of_codes(db, whole, codes))
    facts, parameters = rates_of_list(db, whole, terms)
    rows = db.rows(
        f"""SELECT position, {class_of_all_sql(measured)} AS class_of_all, billing_code_modifier AS modifier,
                   {median("negotiated_rate")} AS middle
            FROM ({facts}) f WHERE rate_kind(negotiated_type, negotiation_arrangement) = 'dollars' GROUP BY ALL""",
        parameters,
    )
    written = [
        f"({at}, {_text(stated)}, {_text(modifier)}, {middle!r}::DOUBLE)" for at, stated, modifier, middle in rows
    ]
    values = ", ".join(written) or "(NULL::INTEGER, NULL::VARCHAR, NULL::VARCHAR, NULL::DOUBLE)"
    return f"SELECT * FROM (VALUES {values}) v(position, class_of_all, modifier, middle)"


def _text(value: str | None) -> str:
    return "NULL::VARCHAR" if value is None else quote(value)
