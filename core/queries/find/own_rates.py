"""What organizations that a search names are paid for the code that it names: "Gulf Orthopedics knee MRI"."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from core.fields.providers.payer_slug import make_payer_slug
from core.queries.classes.rate_classes import choose_class
from core.queries.coverage import list_payers
from core.queries.find.code_index import FoundCode
from core.queries.find.organizations import FoundOrganization
from core.queries.latest import with_latest
from core.queries.market.market import Market
from core.queries.market.market_filters import ALL_CLASSES
from core.queries.market.market_rates import market_cache
from core.queries.parties.dollar_rates import meant_sql, show_dollar_rates
from core.queries.parties.organizations import show_tins
from core.queries.rules.columns import Code, CodeType, PayerName, State, described
from core.queries.rules.organization_price import price_sql
from core.store.connection import Snapshot
from core.store.market_snapshot import MarketSnapshot
from core.store.views import NAMED_TIN

MAX_CODES = 3
"""Of so many codes, the first one that any of the organizations has a rate for is shown."""


@dataclass(frozen=True)
class OwnRate:
    """What one payer pays an organization for a code, of the class that the code's page opens with."""

    organization_id: Annotated[
        str | None, described("The organization, as in `organizations`; null if only its tax ID is known.", "elm_ga")
    ]
    tin: Annotated[str, described("The first of its tax IDs, as in `organizations`.", "123456789")]
    state: State
    code_type: CodeType
    code: Code
    reporting_entity_name: PayerName
    price: Annotated[float, described("The rate in the middle, of two the lower one, as on the code's page.", 258.83)]
    prices: Annotated[int, described("Number of different rates. The file does not say which one applies.", 8)]
    lowest: Annotated[float, described("The lowest of these.", 239.5)]
    highest: Annotated[float, described("The highest of these.", 310.6)]


def find_own_rates(
    db: Snapshot,
    organizations: Sequence[FoundOrganization],
    codes: Sequence[FoundCode],
    filters: Mapping[str, str | None],
) -> list[OwnRate]:
    """Return what organizations are paid for the first of the codes that any of them has a rate in dollars for.

    Of the `filters`, places are left out: the organization is named, wherever it is.
    """
    keys = _keys_of_tins(db, [one for one in organizations if one.tin])
    given = {name: value for name, value in filters.items() if value and name in {"payer", "modifier"}}
    for code in codes[:MAX_CODES] if keys else ():
        if code.state and code.rates and (found := _ask(db, code, keys, given)):
            return found
    return []


_Key = tuple[str | None, str]
"""The key of an organization, and the first of its tax IDs."""


def _keys_of_tins(db: Snapshot, organizations: Collection[FoundOrganization]) -> dict[str, _Key]:
    """Return the organization of each tax ID of the organizations."""
    by_id = {one.organization_id: (one.organization_id, one.tin or "") for one in organizations if one.organization_id}
    rows = db.list_rows_of(NAMED_TIN, "organization_id", by_id, ["tin_value"]) if by_id else []
    alone = {one.tin or "": (one.organization_id, one.tin or "") for one in organizations}
    return {**alone, **{row["tin_value"]: by_id[row["organization_id"]] for row in rows}}


def _ask(db: Snapshot, code: FoundCode, keys: Mapping[str, _Key], given: Mapping[str, Any]) -> list[OwnRate]:
    market = with_latest(db, Market(code.state or "", "", *code.key, **given))
    choice = choose_class(db, market)
    if choice.market.classes == ALL_CLASSES:
        return []
    with market_cache(db, choice.market) as cached:
        return _read(cached, choice.market, code, keys) if isinstance(cached, MarketSnapshot) else []


def _read(db: MarketSnapshot, market: Market, code: FoundCode, keys: Mapping[str, _Key]) -> list[OwnRate]:
    dollars, tins = show_dollar_rates(db, market), show_tins(db, market)
    # As one text: for each list that is bound, DuckDB looks for libraries that are not there, some 50 ms long.
    listed = "SELECT unnest(string_split($tins, ' ')) AS tin_value, unnest(string_split($firsts, ' ')) AS first"
    wanted = (
        f"""(SELECT w.first, f.* FROM {dollars} f JOIN {tins} t USING (pg_uid) JOIN ({listed}) w USING (tin_value))"""
    )
    rates = meant_sql(db, market, wanted, "first, reporting_entity_name")
    sql = f"""SELECT first, reporting_entity_name, {price_sql()} AS price, count(DISTINCT negotiated_rate) AS prices,
                     min(negotiated_rate) AS lowest, max(negotiated_rate) AS highest
              FROM {rates} GROUP BY ALL ORDER BY reporting_entity_name"""
    values = {"tins": " ".join(keys), "firsts": " ".join(tin for _, tin in keys.values())}
    by_first, names = {key[1]: key for key in keys.values()}, dict(list_payers(db))
    return [
        OwnRate(*by_first[first], market.state, *code.key, names.get(make_payer_slug(name), name), *row)
        for first, name, *row in db.rows(sql, values)
    ]
