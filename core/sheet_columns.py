"""The columns of a table as a person reads them: headings instead of names, and what they mean, by the yardstick."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from core.column_units import column_meanings, unit_of
from core.rows import Constants, arrow_schema

MEDICARE = "Medicare"

_PERCENTILES = {
    "p10": "10th percentile of the",
    "p25": "25th percentile of the",
    "p50": "Median",
    "p75": "75th percentile of the",
    "p90": "90th percentile of the",
}

_OF_CHANGES = {
    "middle": "Median change, with the same",
    "p10": "10th percentile of those up or down",
    "p50": "Median of those up or down",
    "p90": "90th percentile of those up or down",
}

HEADINGS = {
    "additional_information": "Remark",
    "amount": "Amount",
    "base_p50": "Median compared with",
    "billing_code_type_version": "Version of the code system",
    "city": "City",
    "code_desc": "Description",
    "code_type": "Code system",
    "compared": "Rates compared",
    "difference": "Against the market",
    "fact_uid": "Key of the rate",
    "group_area": "Area of the group",
    "kind": "Kind of rate",
    "market": "Median of the market",
    "medicare": "Medicare amount",
    "mean_error": "Error of the state's mean",
    "name": "Title",
    "negotiated_rate": "Rate",
    "npi": "NPI",
    "npis": "NPIs",
    "one_name": "Organization",
    "one_tin": "Tax ID",
    "p10": "10th percentile",
    "p25": "25th percentile",
    "p50": "Median",
    "p75": "75th percentile",
    "p90": "90th percentile",
    "payer_slug": "Key of the payer",
    "percent": "Percent of Medicare",
    "percent_p50": "Median percent of Medicare",
    "pg_uid": "Key of the provider group",
    "pos_set_id": "Key of the places",
    "postal_code": "ZIP code",
    "provider_group_id_raw": "Provider group in the file",
    "reporting_entity_name": "Payer",
    "service_codes": "Places of service",
    "source": "File",
    "tin_type": "Kind of tax ID",
    "tin_value": "Tax ID",
    "tins": "Tax IDs",
    "wcfs": "Workers' compensation amount",
    "wcfs_basis": "Workers' compensation basis",
    "wcfs_percent": "Percent of workers' compensation",
    "wcfs_reason": "Why not compared with workers' compensation",
    "wcfs_release": "Workers' compensation release",
    "what": "What happened",
    "year_month": "Month",
    "PayerIndex.dollars": "Dollars for the units",
    "PayerIndex.market_dollars": "Dollars at the market's medians",
    "PayerIndex.medicare_dollars": "Dollars at 100 percent of Medicare",
    "PayerIndex.medicare_codes": "Codes with an amount",
    "PayerIndex.one_percent": "Dollars of one percent of Medicare",
    "ClinicPosition.areas": "Prices by area",
    "ClinicPosition.compared_price": "Your price in the table of organizations",
    "ClinicPosition.contracts_more": "Contracts that are paid more",
    "ClinicPosition.difference": "Gap in percent",
    "ClinicPosition.gap_to_middle": "Gap",
    "ClinicPosition.high": "75th percentile of organizations",
    "ClinicPosition.highest": "Your highest price",
    "ClinicPosition.is_given": "Rate is the one you gave",
    "ClinicPosition.is_odd": "Price is not believable",
    "ClinicPosition.lowest": "Your lowest price",
    "ClinicPosition.middle": "Middle organization",
    "ClinicPosition.odd_prices": "Prices left out as not believable",
    "ClinicPosition.one_contract": "Organizations under the largest contract",
    "ClinicPosition.other_middle": "Other payers",
    "ClinicPosition.own_area": "Your own area",
    "ClinicPosition.own_rates": "Number of your rates",
    "ClinicPosition.paid_less": "Organizations paid less",
    "ClinicPosition.paid_more": "Organizations paid more",
    "ClinicPosition.paid_same": "Organizations paid the same",
    "ClinicPosition.payers_middle": "All payers",
    "ClinicPosition.position": "Share of organizations paid less",
    "ClinicPosition.prices": "Your prices",
    "ClinicPosition.rate": "Your rate",
    "ClinicPosition.rates": "Rates of the payer",
    "ClinicPosition.reason": "Why there is no position",
    "ClinicPosition.tiers": "Your prices in it",
    "ClinicPosition.tins": "Tax IDs with your rates",
    "ClinicPosition.total_to_high": "75th percentile would add",
    "ClinicPosition.units": "Your services",
    "ClinicPosition.services": "Services billed to Medicare",
    "CodeRates.difference": "Median against the market",
    "CodeRates.middle": "Middle organization",
    "CodeRates.middle_difference": "Against the middle organization",
    "CodeRates.p50": "Median of all areas",
    "CodeRates.paid_more": "Organizations paid more",
    "CodeRates.percent": "Median percent of Medicare",
    "CodeRates.rate": "Rate",
    "CodeRates.rate_area": "Area of the rate",
    "CodeRates.rate_percent": "Percent of Medicare",
    "ChangedRate.percent": "Change",
    "ChangedRate.difference": "Difference",
    **{
        f"{row}.{name}": f"{which} percent of Medicare"
        for row in ("PercentSpread", "ProviderSummary", "FamilyRates", "ProviderPayer")
        for name, which in _PERCENTILES.items()
    },
    **{
        f"{row}.{name}": heading
        for row in ("PayerMoved", "CodeMoved", "TaxIdMoved", "TermsMoved")
        for name, heading in _OF_CHANGES.items()
    },
}
"""The headings of columns whose names do not read as one, by name; for one table, by its row class and the name."""

_CONSTANTS_MEAN = "What was asked for: the same in every row; empty for all."


@dataclass(frozen=True)
class SheetColumn:
    """A column of a workbook."""

    name: str
    heading: str
    meaning: str
    unit: str
    """How its values are written (`unit_of`); empty for text. That of an amount is `dollars`, whatever its kind."""


def heading_of(row_type: type[Any], name: str) -> str:
    """Return what a person calls a column."""
    own = HEADINGS.get(f"{row_type.__name__}.{name}") or HEADINGS.get(name)
    return own or name.replace("_", " ").capitalize().replace("Npi", "NPI")


def columns_of(
    row_type: type[Any], constants: Constants = MappingProxyType({}), yardstick: str = MEDICARE
) -> Iterator[SheetColumn]:
    """Yield the columns of a table, and those of the constants, which its rows lack, as the yardstick is called."""
    meanings = column_meanings(row_type)
    for field in arrow_schema(row_type, constants):
        meaning = meanings.get(field.name, _CONSTANTS_MEAN)
        heading, unit = heading_of(row_type, field.name), unit_of(field.type, meaning)
        yield SheetColumn(field.name, _of(yardstick, heading), _of(yardstick, meaning), unit)


_OF_MEDICARE = (
    (re.compile("Medicare's, or that of the yardstick asked for"), "that of {}"),
    (re.compile("Medicare, or of the yardstick asked for"), "{}"),
    (re.compile("^Medicare('s)? amount"), "Amount of {}"),
    (re.compile("(the )?Medicare('s)? amount"), "the amount of {}"),
    (re.compile("([Pp]ercents? of) Medicare"), r"\1 {}"),
    (re.compile("amount of Medicare's"), "amount of {}"),
    (re.compile("^Medicare fee schedule"), "Fee schedule"),
)
"""How headings and meanings say that a figure is of Medicare, where it may be of a state's schedule."""


def _of(yardstick: str, text: str) -> str:
    """Return a heading or a meaning that names the yardstick that was measured by."""
    if yardstick != MEDICARE:
        for pattern, said in _OF_MEDICARE:
            text = pattern.sub(said.format(yardstick), text)
    return text
