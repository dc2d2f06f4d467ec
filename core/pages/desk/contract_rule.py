"""What rule is behind a payer's professional rates."""

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from cachetools import LRUCache
from django.http import HttpResponseBase

from core.pages.charts.scatter_chart import ScatterPoint, draw_scatter
from core.pages.formats import name_tin, write_percent
from core.pages.forms.market_forms import RuleForm
from core.pages.shared.conditional import UNFINISHED
from core.pages.shared.error_pages import invalid_query
from core.pages.shared.lanes.weights import is_too_broad
from core.pages.shared.market_choice import MarketChoice, choose_market, choose_provider_market
from core.pages.shared.page import MarketQuery, market_page
from core.queries import coverage
from core.queries.comparison.compared_rates import is_plausible
from core.queries.contract_rule import fit_rule
from core.queries.contract_rule.find_rule import FoundRule, find_contract_rule
from core.queries.contract_rule.other_schedules import ScheduleMultiple, list_other_schedules
from core.queries.contract_rule.payer_contracts import PayerRules, RuleOfContract, find_rules_of_payer
from core.queries.contract_rule.payer_tins import list_payer_tins
from core.queries.contract_rule.priced_rates import list_candidates, rule_cache
from core.queries.contract_rule.provider_rules import (
    MOST_PAYERS,
    RuleAtPayer,
    list_payers_of_provider,
    list_rules_of_provider,
)
from core.queries.contract_rule.rule_rows import FamilyRule, RulePrice
from core.queries.contract_rule.rule_words import write_compared_with, write_release
from core.queries.market.file_dates import old_months
from core.queries.market.market import Market
from core.queries.parties import providers
from core.queries.payers.loaded_payers import newest_of_each_payer
from core.store.connection import Snapshot

SHOWN_EXCEPTIONS = 50

MOST_KNOWN_RULES = 1000
SHOWN_TINS = 15

_PROVIDER_FILTERS: tuple[providers.By, ...] = ("npi", "tin", "organization", "system")


class KnownRules:
    """The rules that visitors have asked for, in a sentence, of the last generations: each takes seconds to find."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sentences: LRUCache[tuple[int, str, str, str], str] = LRUCache(MOST_KNOWN_RULES)

    def find(self, db: Snapshot, state: str, year_month: str, payer: str) -> str | None:
        """Return the rule behind a payer's rates, if it has been found."""
        with self._lock:
            sentence: str | None = self._sentences.get((db.manifest.generation, state, year_month, payer))
            return sentence

    def keep(self, db: Snapshot, market: Market, sentence: str) -> None:
        """Keep the rule behind the rates of a market's payer."""
        with self._lock:
            key = db.manifest.generation, market.state, market.year_month, market.payer or ""
            self._sentences[key] = sentence


KNOWN_RULES = KnownRules()


def _choose(form: RuleForm, db: Snapshot) -> MarketChoice:
    """Return the market of one file's month: the newest of the payer, unless another is asked for."""
    asked = replace(form.market(), code=None, code_type=None)
    if asked.of_provider and not asked.payer:
        by = next(one for one in _PROVIDER_FILTERS if getattr(asked, one))
        periods = providers.list_provider_periods(db, by, getattr(asked, by))
        choice = choose_provider_market(asked, db, periods)
        payers = list_payers_of_provider(db, choice.market) if periods else []
        if len(payers) != 1:
            return choice if periods else choose_market(asked, db)
        asked = replace(asked, payer=payers[0], state=choice.market.state, year_month=choice.market.month_of(payers[0]))
    rows = [
        row
        for row in coverage.list_coverage(db)
        if row.payer_slug == asked.payer and asked.state in {"", row.state} and asked.year_month in {"", row.year_month}
    ]
    if rows:
        asked = replace(asked, state=rows[0].state, year_month=rows[0].year_month)
    return choose_market(asked, db)


@market_page(RuleForm, "rule", choose=_choose)
def show_rule(query: MarketQuery[RuleForm]) -> HttpResponseBase:
    """Show `/rule/`"""
    db, market = query.db, query.market
    if market.of_provider and not market.payer:
        return _show_rules_of_provider(query)
    if not market.payer:
        every = [row for row in coverage.list_coverage(db) if row.state == market.state]
        loaded = [one.newest for one in newest_of_each_payer(every)]
        if query.wants_file:
            return query.download(loaded, coverage.Coverage, "rule_payers")
        response = query.render("pages/rule.html", loaded=_list_payers(db, loaded))
        # The next visitor may see more of the rules.
        response["Cache-Control"] = UNFINISHED
        return response
    too_broad = not market.tin and is_too_broad(db, market)
    # Of one provider or one code there are too few prices to tell contracts apart.
    has_contracts = not (too_broad or market.of_provider or market.code)
    wants_them = not query.wants_file or query.values["table"] == "contracts"
    rules = find_rules_of_payer(db, market) if has_contracts and wants_them else None
    found, other_schedules = rules.of_all if rules else None, list[ScheduleMultiple]()
    if not rules and not too_broad:
        with rule_cache(db, market) as cached:
            found = find_contract_rule(cached, market)
            other_schedules = [] if query.wants_file else list_other_schedules(cached, market)
    if rules and replace(market, payer=None) == market.unfiltered:
        KNOWN_RULES.keep(db, market, summarize_rules(rules))
    if query.wants_file:
        return _download(query, found, rules)
    tins = list_payer_tins(db, market, SHOWN_TINS) if too_broad else []
    names = providers.find_tins(db, market.tin) if market.tin else []
    return query.render(
        "pages/rule.html",
        found=found,
        answer=_split(found) if found else None,
        rules=rules,
        ends=[(_name(one), _describe_percent(one)) for one in rules.ends] if rules else [],
        leading=[(_name(one), one) for one in rules.leading] if rules else [],
        schedules_missing=describe_missing_schedules(db, market),
        other_schedules=other_schedules,
        too_broad=too_broad,
        payer_name=dict(coverage.list_payers(db)).get(market.payer, market.payer),
        tin_name=names[0].business_name if names else None,
        tins=tins,
        chart=_draw(found) if found else "",
        shown=SHOWN_EXCEPTIONS,
        shown_exceptions=found.exceptions[:SHOWN_EXCEPTIONS] if found else [],
        limits=fit_rule,
        compared_with=write_compared_with(found.rule, found.levels) if found and found.prices else "",
        implausible=_count_implausible(found) if found else 0,
        families_have_levels=found is not None and any(one.multiple for one in found.families),
    )


def _show_rules_of_provider(query: MarketQuery[RuleForm]) -> HttpResponseBase:
    """Show the rule behind a provider's rates at each payer that has some."""
    rules = list_rules_of_provider(query.db, query.market)
    if query.wants_file:
        return query.download(rules, RuleAtPayer, "rule_payers")
    market = query.market
    names = providers.find_tins(query.db, market.tin) if market.tin else []
    named = names[0].business_name if names else None
    of_whom = named or ("this tax ID" if market.tin else f"NPI {market.npi}" if market.npi else "this organization")
    return query.render(
        "pages/rule.html", rules_at_payers=rules, is_of_provider=True, most_payers=MOST_PAYERS, of_whom=of_whom
    )


@dataclass(frozen=True)
class ListedPayer:
    """A payer of the state: what rule is known to be behind its rates, or why only a near one can be."""

    newest: coverage.Coverage
    rule: str | None
    missing: str


def _list_payers(db: Snapshot, loaded: Sequence[coverage.Coverage]) -> list[ListedPayer]:
    return [
        ListedPayer(
            one,
            KNOWN_RULES.find(db, one.state, one.year_month, one.payer_slug),
            describe_missing_schedules(db, Market(one.state, one.year_month, payer=one.payer_slug)),
        )
        for one in loaded
    ]


def summarize_rules(rules: PayerRules) -> str:
    """Return the rules of a payer's contracts in a sentence, or that of all its rates if they do not differ."""
    if not rules.differ:
        return rules.of_all.rule.sentence
    if rules.ends:
        told = " to ".join(f"{_describe_percent(one)} ({_name(one)})" for one in rules.ends)
    else:
        leading = [one for one in rules.leading if one.verdict != "none"]
        told = "; ".join(f"{one.levels or _describe_percent(one)} ({_name(one)})" for one in leading)
    return f"Several contracts: {told}." if told else rules.of_all.rule.sentence


def _draw(found: FoundRule) -> Any:
    is_told = found.rule.verdict != "none" or bool(found.levels)
    points = [
        # Without a rule, no price is an exception.
        ScatterPoint(one.medicare, one.negotiated_rate, one.explained or not is_told)
        for one in found.prices
        if one.medicare is not None
    ]
    multiples = [found.rule.multiple, *(one.multiple for one in found.families if one.own)]
    lines = [one.multiple for one in found.levels] if found.levels else [one for one in multiples if one]
    return draw_scatter(points, lines if is_told else [], found.rule.sentence)


def _count_implausible(found: FoundRule) -> int:
    return sum(one.percent is not None and not is_plausible(one.percent) for one in found.prices)


def _name(contract: RuleOfContract) -> str:
    return contract.business_name or name_tin(contract.tin_value, contract.tin_type)


def _describe_percent(contract: RuleOfContract) -> str:
    return write_percent(contract.multiple)


@dataclass(frozen=True)
class RuleSentences:
    """The sentences of a rule: the percent, what else the answer says, and what speaks for it."""

    percent: str
    others: str
    evidence: str


def _split(found: FoundRule) -> RuleSentences:
    answer, _, evidence = found.rule.sentence.removesuffix(".").partition(". ")
    match = re.match(r"[^;]*?(?=,\s|;| for [0-9]|$)", answer)
    percent = match[0] if match and found.rule.verdict in {"rule", "levels"} else ""
    return RuleSentences(percent, f"{answer.removeprefix(percent)}.", f"{evidence}." if evidence else "")


def describe_missing_schedules(db: Snapshot, market: Market) -> str:
    """Return that the payer's file is older than every schedule; empty text if it is not."""
    releases = sorted({one.release for one in list_candidates(db)})
    written = old_months(db).get((market.state, market.year_month, market.payer or "")) or market.year_month
    if not releases or written[:4] >= releases[0][:4]:
        return ""
    oldest = write_release(releases[0])
    return f"The file is dated {write_release(written)}, and no schedule from before {oldest} is loaded."


def _download(query: MarketQuery[RuleForm], found: FoundRule | None, rules: PayerRules | None) -> HttpResponseBase:
    table = query.values["table"]
    if found is None:
        why = "has too many rates to look at together: choose a tax ID (tin) or a code"
        return invalid_query(query.request, [("payer", why)])
    if table == "contracts" and rules is None:
        # Only a payer's rates are divided by contract. The main table of the others is that of their prices.
        if "table" in query.request.GET:
            why = "contracts are told apart for all rates of a payer that are not too many: choose prices"
            return invalid_query(query.request, [("table", why)])
        table = "prices"
    if table == "contracts":
        return query.download(rules.contracts if rules else [], RuleOfContract, "rule_contracts")
    if table == "families":
        return query.download(found.families, FamilyRule, "rule_families")
    rows = found.exceptions if table == "exceptions" else found.prices
    return query.download(rows, RulePrice, f"rule_{table}")
