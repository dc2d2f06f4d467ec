"""Resources about the rule behind a payer's professional rates."""

from ninja import Router
from pydantic import Field

from core.api.protocol.resources import AnswerFields, MarketAnswer, MarketPage, ResourceRequest, resource
from core.pages.forms.market_forms import RuleForm
from core.queries.contract_rule.find_rule import find_contract_rule
from core.queries.contract_rule.levels_of_release import PriceLevel
from core.queries.contract_rule.other_schedules import ScheduleMultiple, list_other_schedules
from core.queries.contract_rule.payer_contracts import RuleOfContract, find_rules_of_payer
from core.queries.contract_rule.priced_rates import rule_cache
from core.queries.contract_rule.rule_rows import ContractRule, FamilyRule, RulePrice

router = Router(tags=["Medicare"])

_NOT_TAKEN = ["code", "code_type", "sort"]
_OF_PROVIDER = ["npi", "tin", "organization", "system"]
"""One provider has too few prices to tell contracts apart."""


class RuleAnswer(MarketAnswer):
    """The rule behind a payer's rates, with the multiple of each family of services."""

    rule: ContractRule = Field(description="The multiple of a Medicare schedule, or why none is named.")
    families: list[FamilyRule] = Field(
        description="The main multiple of each family of services, by code number, and the middle of its percents."
    )
    levels: list[PriceLevel] = Field(description="The price levels, where a contract pays several multiples at once.")
    other_schedules: list[ScheduleMultiple] = Field(
        description="The multiples of other schedules of Medicare, such as that of laboratory tests, where one holds."
    )


@resource(router, "/rule", RuleForm, RuleAnswer, required=["payer"], without=_NOT_TAKEN)
def find_rule(request: ResourceRequest) -> AnswerFields:
    """Find the rule behind a payer's professional rates.

    The multiple of a Medicare year, locality, and family of services that reproduces most of the rates, of the payer or
    of one `tin`; several multiples at once, if a contract has price levels; or that there is no single rule. A multiple
    of 1 is 100%.
    """
    _refuse_if_too_broad(request)
    with rule_cache(request.db, request.market) as cached:
        found = find_contract_rule(cached, request.market)
        others = list_other_schedules(cached, request.market)
    return {"rule": found.rule, "families": found.families, "levels": found.levels, "other_schedules": others}


@resource(router, "/rule/prices", RuleForm, MarketPage[RulePrice], required=["payer"], without=_NOT_TAKEN)
def list_rule_prices(request: ResourceRequest) -> AnswerFields:
    """List each price beside what the rule says.

    A price is the most common rate of a code with its modifier, in or out of a facility; of one tax ID, each different
    rate. Where `explained` is false, it is an exception.
    """
    _refuse_if_too_broad(request)
    return request.page_of(find_contract_rule(request.db, request.market).prices)


@resource(
    router,
    "/rule/contracts",
    RuleForm,
    MarketPage[RuleOfContract],
    required=["payer"],
    without=[*_NOT_TAKEN, *_OF_PROVIDER],
)
def list_rules_of_contracts(request: ResourceRequest) -> AnswerFields:
    """List the payer's contracts with the most rates, each with the rule behind its own rates.

    A contract is what the same provider groups are paid: tax IDs with the same groups have the same rates. The one with
    the most prices comes first.
    """
    request.refuse_if_too_broad()
    return request.page_of(find_rules_of_payer(request.db, request.market).contracts)


def _refuse_if_too_broad(request: ResourceRequest) -> None:
    if not request.market.tin:
        request.refuse_if_too_broad()
