"""Every query string is a form: what a page may be asked, checked and normalised by the rules of the data."""

import re
from collections.abc import Sequence
from typing import Any

from django import forms

from core.fields import code_list
from core.fields.billing_code import parse_code, parse_code_system
from core.fields.place_of_service import PLACES, parse_places
from core.fields.states import STATES
from core.fields.text import parse_lower
from core.queries import changes, medicare, organizations, rates
from core.queries.rules.market import NO_MODIFIER, NOT_STATED, Market
from core.queries.rules.matching import OUTCOMES

CLASSES = ("professional", "institutional", "both", NOT_STATED)
SETTINGS = ("inpatient", "outpatient", "both", NOT_STATED)
FORMATS = ("html", "csv", "json", "parquet")
TYPES = ("negotiated", "derived", "fee schedule", "percentage", "per diem", NOT_STATED)
ARRANGEMENTS = ("ffs", "bundle", "capitation", NOT_STATED)
LONGEST = 100
LONGEST_LIST = 20_000
"""So many characters a pasted list may have: 200 codes, however they are separated."""

_MONTH = r"20\d\d-(0[1-9]|1[0-2])", "a month as YYYY-MM, such as 2025-08"
_SLUG = r"[a-z0-9_]+", "a payer's key of a-z, 0-9 and _, such as example_health_plan"


class QueryForm(forms.Form):
    """The parameters of a page that is about no market. `tables` are the names of the tables it can be asked for."""

    use_required_attribute = False
    tables: Sequence[str] = ("rows",)
    sorts: Sequence[str] = ()

    page = forms.IntegerField(required=False, min_value=1, max_value=1_000_000)
    sort = forms.CharField(required=False)
    table = forms.CharField(required=False)
    format = forms.CharField(required=False)

    def clean_sort(self) -> str:
        """One of the page's orders; the first where none is given."""
        return self._one_of("sort", self.sorts)

    def clean_table(self) -> str:
        """One of the page's tables; the first where none is given."""
        return self._one_of("table", self.tables)

    def clean_format(self) -> str:
        """html, csv or json."""
        return self._one_of("format", FORMATS)

    def clean_page(self) -> int:
        """The page's number, 1 where none is given."""
        return self.cleaned_data["page"] or 1

    def _one_of(self, name: str, known: Sequence[str]) -> str:
        value: str = self.cleaned_data[name]
        if value and value not in known:
            raise forms.ValidationError(f"{value!r} is not known; expected one of: {', '.join(known)}")
        return value or (known[0] if known else "")

    @property
    def problems(self) -> list[tuple[str, str]]:
        """What is wrong: the parameter's name and a sentence."""
        return [(name, str(why)) for name, reasons in self.errors.items() for why in reasons]

    def parameters(self) -> dict[str, Any]:
        """The cleaned parameters for links to the same page; those that say nothing are left out."""
        defaults = {"page": 1, "format": "html", "table": self.tables[0], "sort": self.sorts[0] if self.sorts else ""}
        return {name: value for name, value in self.cleaned_data.items() if value and value != defaults.get(name)}


class CodesForm(QueryForm):
    """The page that finds codes."""

    q = forms.CharField(required=False, max_length=LONGEST, label="Number or words")


class MarketForm(QueryForm):
    """The parameters by which a market is chosen. `choices` are what the select boxes offer."""

    state = forms.CharField(required=False, label="State")
    year_month = forms.CharField(required=False, label="Month")
    code_type = forms.CharField(required=False, max_length=20, label="Code system")
    code = forms.CharField(required=False, max_length=40, label="Code")
    payer = forms.CharField(required=False, max_length=300, label="Payer")
    pos = forms.CharField(required=False, label="Place of service")
    billing_class = forms.CharField(required=False, label="Class")
    modifier = forms.CharField(required=False, label="Modifier")
    setting = forms.CharField(required=False, label="Setting")
    negotiated_type = forms.CharField(required=False, label="Type of rate")
    arrangement = forms.CharField(required=False, label="Arrangement")
    network = forms.CharField(required=False, max_length=300, label="Network")
    npi = forms.CharField(required=False, label="NPI")
    tin = forms.CharField(required=False, label="Tax number")

    def clean_state(self) -> str:
        """A state's two letters."""
        value = str(self.cleaned_data["state"]).strip().upper()
        if value and value not in STATES:
            raise forms.ValidationError(f"{value!r} is no state; expected two letters such as GA")
        return value

    def clean_year_month(self) -> str:
        """A month, YYYY-MM."""
        return self._matching("year_month", *_MONTH)

    def clean_code_type(self) -> str:
        """A code system, by the rules of the facts."""
        return parse_code_system(self.cleaned_data["code_type"]) or ""

    def clean_code(self) -> str:
        """A code, by the rules of the facts: in capitals, padded where its system asks for it."""
        return parse_code(self.cleaned_data.get("code_type", ""), self.cleaned_data["code"]) or ""

    def clean_payer(self) -> str:
        """A payer's slug."""
        return self._matching("payer", *_SLUG)

    def clean_pos(self) -> str:
        """A place of service."""
        value = ",".join(parse_places(self.cleaned_data["pos"]))
        if value and not re.fullmatch(r"\d\d|CSTM-00", value, re.ASCII):
            raise forms.ValidationError(f"{value!r} is no place of service; expected two digits such as 11")
        return value

    def clean_billing_class(self) -> str:
        """professional, institutional, both or unstated."""
        return self._out_of("billing_class", "billing class", CLASSES)

    def clean_setting(self) -> str:
        """inpatient, outpatient, both or unstated."""
        return self._out_of("setting", "setting", SETTINGS)

    def clean_negotiated_type(self) -> str:
        """A negotiated_type as the facts have it: payers write more than the schema's five."""
        self.cleaned_data["negotiated_type"] = parse_lower(self.cleaned_data["negotiated_type"]) or ""
        return self._matching("negotiated_type", r"[a-z][a-z _-]{0,39}", "a type of rate such as negotiated")

    def clean_arrangement(self) -> str:
        """A negotiation_arrangement as the facts have it."""
        self.cleaned_data["arrangement"] = parse_lower(self.cleaned_data["arrangement"]) or ""
        return self._matching("arrangement", r"[a-z][a-z _-]{0,39}", "an arrangement: ffs, bundle or capitation")

    def clean_modifier(self) -> str:
        """One modifier, or `none` for rates without."""
        value = str(self.cleaned_data["modifier"]).strip()
        if value.lower() == NO_MODIFIER:
            return NO_MODIFIER
        if value and not re.fullmatch(r"[0-9A-Za-z]{1,10}", value, re.ASCII):
            raise forms.ValidationError(f"{value!r} is no modifier; expected one such as 26, or none")
        return value.upper()

    def clean_npi(self) -> str:
        """An NPI."""
        return self._matching("npi", r"[12]\d{9}", "an NPI: ten digits that begin with 1 or 2")

    def clean_tin(self) -> str:
        """A tax number: the digits of an EIN, or the NPI that stands in for one."""
        self.cleaned_data["tin"] = re.sub(r"[\s-]", "", self.cleaned_data["tin"])
        return self._matching("tin", r"\d{9,10}", "a tax number of nine digits, or an NPI of ten")

    def market(self) -> Market:
        """The market that was asked for. State and month are given by now."""
        names = [name for name in Market.__dataclass_fields__ if name not in {"state", "year_month"}]
        chosen = {name: self.cleaned_data[name] or None for name in names}
        return Market(self.cleaned_data["state"], self.cleaned_data["year_month"], **chosen)

    def offer(self, name: str, choices: Sequence[tuple[str, str]]) -> None:
        """Makes a parameter's box a choice among the given, and what was asked for where that is none of them."""
        value = self.cleaned_data.get(name, "")
        extra = [] if not value or value in dict(choices) else [(value, value)]
        self.fields[name].widget = forms.Select(choices=[*choices, *extra])

    def offer_fixed(self) -> None:
        """Offers the choices that are the same for every market."""
        anything = ("", "any")
        self.offer("pos", [anything, *((code, f"{code} {name}") for code, name in PLACES.items())])
        self.offer("billing_class", [anything, *((name, name) for name in CLASSES)])
        self.offer("setting", [anything, *((name, name) for name in SETTINGS)])
        self.offer("negotiated_type", [anything, *((name, name) for name in TYPES)])
        self.offer("arrangement", [anything, *((name, name) for name in ARRANGEMENTS)])

    def _out_of(self, name: str, called: str, known: Sequence[str]) -> str:
        value = parse_lower(self.cleaned_data[name]) or ""
        if value and value not in known:
            raise forms.ValidationError(f"{value!r} is no {called}; expected one of: {', '.join(known)}")
        return value

    def _matching(self, name: str, pattern: str, expected: str) -> str:
        value = self.cleaned_data[name].strip()
        if value and not re.fullmatch(pattern, value, re.ASCII):
            raise forms.ValidationError(f"{value!r} is not {expected}")
        return str(value)


class ProviderForm(MarketForm):
    """The pages of an NPI and of a tax number; which one it is stands in the address' path."""

    tables = ("rates", "groups", "npis")

    def parameters(self) -> dict[str, Any]:
        """The cleaned parameters, without the provider: that is in the path."""
        return {name: value for name, value in super().parameters().items() if name not in {"npi", "tin"}}


class RatesForm(MarketForm):
    """The page of a code's rates."""

    tables = ("rates", "summary", "histogram")
    sorts = tuple(rates.ORDERS)


class MedicareForm(MarketForm):
    """The page of rates against Medicare."""

    tables = ("rates", "payers", "bases", "reasons")
    sorts = tuple(medicare.ORDERS)


class OrganizationsForm(MarketForm):
    """The page of a market by tax number."""

    tables = ("organizations",)
    sorts = tuple(organizations.ORDERS)


class PayersForm(MarketForm):
    """The page of payers side by side, and of one payer."""

    tables = ("payers", "networks", "files", "codes")

    codes = forms.CharField(required=False, max_length=LONGEST_LIST, label="Codes", widget=forms.Textarea({"rows": 4}))
    base = forms.CharField(required=False, max_length=300, label="Compared with")

    def clean_codes(self) -> str:
        """A list of codes, in its one way to be written."""
        found = code_list.read_codes(self.cleaned_data["codes"])
        if len(found) > code_list.MAX_CODES:
            raise forms.ValidationError(f"{len(found)} codes: expected at most {code_list.MAX_CODES}")
        return code_list.codes_text(found)

    def clean_base(self) -> str:
        """A payer's slug."""
        return self._matching("base", *_SLUG)

    def clean(self) -> dict[str, Any]:
        """A list goes before a single code."""
        if self.cleaned_data.get("codes"):
            self.cleaned_data.update(code="", code_type="")
        return self.cleaned_data


class ChangesForm(MarketForm):
    """The page of a month against an earlier one, which is called `from`."""

    tables = ("rates", "codes", "payers")
    sorts = tuple(dict.fromkeys((*changes.ORDERS, *changes.SORTS)))

    what = forms.CharField(required=False, label="What became of it")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["from"] = forms.CharField(required=False, label="Compared with")

    def clean_from(self) -> str:
        """A month, YYYY-MM."""
        return self._matching("from", *_MONTH)

    def clean_what(self) -> str:
        """One of the outcomes."""
        value: str = self.cleaned_data["what"]
        return self._one_of("what", tuple(OUTCOMES)) if value else ""

    def clean(self) -> dict[str, Any]:
        """The earlier month is before the later one."""
        earlier, later = self.cleaned_data.get("from"), self.cleaned_data.get("year_month")
        if earlier and later and earlier >= later:
            self.add_error("from", f"{earlier!r} is not before {later}; expected an earlier month")
        return self.cleaned_data


class QualityForm(QueryForm):
    """The pages of what dq_check found: one run of it, and the part that is asked for, by a market's rules."""

    tables = ("checks", "places", "months", "history", "runs")

    state = forms.CharField(required=False, label="State")
    year_month = forms.CharField(required=False, label="Month")
    payer = forms.CharField(required=False, max_length=300, label="Payer")
    run = forms.IntegerField(required=False, min_value=1, max_value=2**53, label="Run")
    check = forms.RegexField(
        r"\A[a-z0-9_]+\Z",
        required=False,
        max_length=LONGEST,
        label="Check",
        error_messages={"invalid": "expected a check's name, such as zero_rates"},
    )

    _matching = MarketForm._matching
    clean_state = MarketForm.clean_state
    clean_year_month = MarketForm.clean_year_month
    clean_payer = MarketForm.clean_payer

    def part(self) -> dict[str, str]:
        """What is asked for, by the names of dq_finding's columns."""
        names = {"state": "state", "year_month": "year_month", "payer": "payer_slug", "check": "check_name"}
        return {column: self.cleaned_data[name] for name, column in names.items() if self.cleaned_data[name]}
