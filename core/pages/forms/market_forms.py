"""The forms of the pages about a market: a state and month, usually a code, and filters."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

from django import forms

from core.fields.codes.billing_code import parse_code
from core.fields.places.care_setting import FOUR_SETTINGS, OTHER_PLACE, SIDES
from core.fields.places.place_of_service import PLACES
from core.fields.places.practice_place import ENTITY_TYPES
from core.fields.providers.specialty import SPECIALTIES
from core.pages.formats import write_class, write_filter
from core.pages.forms.fields import (
    BILLING_CLASSES,
    SETTINGS,
    CodeField,
    CodeListField,
    CodeTypeField,
    LowercaseField,
    ModifierField,
    MonthField,
    NetworkField,
    NpiField,
    OneOfField,
    PayerField,
    PlaceField,
    SearchField,
    StateField,
    TinField,
)
from core.pages.forms.place_fields import (
    CityField,
    CountyField,
    EntityField,
    FamilyField,
    MetroField,
    NearField,
    SpecialtyField,
    ZipField,
)
from core.pages.forms.query_form import QueryForm
from core.pages.forms.roll_up_fields import OrganizationField, PlanField, SystemField
from core.pages.forms.select_box import SelectBox
from core.queries import rates
from core.queries.comparison.schedules import BASES
from core.queries.market.market import Market
from core.queries.market.market_filters import (
    ALL_CLASSES,
    AREA,
    AREAS,
    BASIS,
    CLASSES,
    COUNTED,
    FILTERS,
    IMPLAUSIBLE,
    LEFT_OUT,
    NOT_STATED,
    OF_COMPENSATION,
    OF_MEDICARE,
    ONE_CLASS,
    STATE_MEAN,
    YARDSTICK,
    YARDSTICKS,
)
from core.queries.over_time import changes
from core.queries.over_time.matching import OUTCOMES
from core.queries.parties import organizations, provider_rates
from core.queries.rules.evidence import ALL_RATES, CHOICES, EVIDENCE, LIKELY
from core.queries.rules.measured_class import LIKE_CLASSES, like_class
from core.queries.yardstick import medicare

RATE_TYPES = ("negotiated", "derived", "fee schedule", "percentage", "per diem", NOT_STATED)
CARE_SETTINGS = (*FOUR_SETTINGS, OTHER_PLACE, NOT_STATED, *SIDES)
_FIRST_FILTERS = ("care_setting", "pos", "billing_class", "modifier", YARDSTICK)
CHOICES_OF_CLASSES = (ONE_CLASS, ALL_CLASSES)
ARRANGEMENTS = ("ffs", "bundle", "capitation", NOT_STATED)


class ImplausibleField(OneOfField):
    """Whether figures count the likely errors."""

    def __init__(self) -> None:
        super().__init__(
            "Implausible rates",
            (COUNTED, LEFT_OUT),
            meaning="Whether figures count likely errors: rates below 50% or above 3,000% of Medicare "
            "that are also over five times, or under a fifth of, the median of their code, class, and modifier. `out`, "
            "the default, leaves them out; `in` counts them. Lists have them either way.",
        )


Options = Sequence[tuple[str, str]]
"""The options of a select box: value and label."""

ANY: tuple[str, str] = ("", "Any")
LATEST_FILES: tuple[str, str] = ("", "Latest of each payer")


class MarketForm(QueryForm):
    """The parameters that choose a market. A missing state or month is chosen from what is loaded, not here."""

    offers_compensation = False
    """Whether the state of the market has a workers' compensation schedule that rates can be measured by."""

    state = StateField()
    year_month = MonthField()
    code_type = CodeTypeField()
    code = CodeField()
    care_setting = OneOfField(
        "setting",
        CARE_SETTINGS,
        meaning="Where the service is provided, in a word: office, hospital outpatient, surgical center, inpatient; "
        "`other place` if the places are none of these, `unstated` if nothing says where. A rate that lists several "
        "places belongs to the setting of each. `non-facility or unstated` is all but rates for facilities alone, and "
        "`facility or unstated` all but rates for other places alone: an answer about professionals is about one of "
        "them where payers list both apart and no setting is asked for.",
    )
    payer = PayerField()
    pos = PlaceField()
    billing_class = LowercaseField(
        "billing class",
        example="professional",
        meaning="The billing class of the rate: professional, institutional, both, or what else the file says; "
        "`unstated` if it names none. `like professional` is professional rates and those that a payer labels "
        "institutional although all its rates fit physicians' fees (see the resource of overruled labels); "
        "`like institutional` is the same the other way. An answer about one class of rates is about such a class "
        "where a label is overruled and no class is asked for.",
    )
    modifier = ModifierField()
    setting = LowercaseField(
        "setting in the file",
        example="outpatient",
        meaning="The setting as the file states it: inpatient, outpatient, both, or what else it says; "
        "`unstated` if it names none.",
    )
    negotiated_type = LowercaseField(
        "rate type", example="negotiated", meaning="The `negotiated_type` of the file; `unstated` if it names none."
    )
    arrangement = LowercaseField(
        "arrangement", example="ffs", meaning="The `negotiation_arrangement` of the file; `unstated` if it names none."
    )
    network = NetworkField()
    npi = NpiField()
    tin = TinField("Tax ID (EIN)")
    organization = OrganizationField()
    system = SystemField()
    plan = PlanField()
    city = CityField()
    zip = ZipField()
    county = CountyField()
    metro = MetroField()
    near = NearField()
    specialty = SpecialtyField()
    entity = EntityField()
    evidence = OneOfField(
        "evidence",
        CHOICES,
        example=LIKELY,
        meaning="Show all rates (all, the default), or those that are likely performed (likely): all but those with no "
        "evidence that anybody in the provider group performs the service.",
    )

    classes: OneOfField | None = OneOfField(
        "classes",
        CHOICES_OF_CLASSES,
        example=ALL_CLASSES,
        meaning="A code is answered for one class of rates (one, the default): the billing class, modifier, and, for "
        "facilities, setting with most rates, as far as the request names none. `all` answers for all classes "
        "together.",
    )

    implausible: ImplausibleField | None = ImplausibleField()

    @property
    def filter_boxes(self) -> list[forms.BoundField]:
        """The fields of the filters, except the payer, which forms show among the fields of the market itself."""
        asked = self.is_bound and self.data.get(YARDSTICK)
        measured = [YARDSTICK] if self.offers_compensation or asked else []
        names = (*FILTERS, BASIS, AREA, CLASSES, *measured)
        return [self[name] for name in names if name != "payer" and name in self.fields]

    @property
    def first_filter_boxes(self) -> list[forms.BoundField]:
        """The fields of the filters that most visitors want."""
        return [box for box in self.filter_boxes if box.name in _FIRST_FILTERS]

    @property
    def more_filter_boxes(self) -> list[forms.BoundField]:
        """The fields of the other filters, which forms show on demand."""
        return [box for box in self.filter_boxes if box.name not in _FIRST_FILTERS]

    @property
    def uses_more_filters(self) -> bool:
        """Whether one of the other filters is set."""
        return any(self.cleaned_data.get(box.name) for box in self.more_filter_boxes)

    def clean(self) -> dict[str, Any]:
        """Pad the code as its system writes it: revenue code 450 is 0450."""
        if "code" in self.cleaned_data:
            system = self.cleaned_data.get("code_type", "")
            self.cleaned_data["code"] = parse_code(system, self.cleaned_data["code"]) or ""
        return self.cleaned_data

    def market(self) -> Market:
        """Return the market that was asked for. State and month are empty text if they were not given."""
        names = [name for name in Market.__dataclass_fields__ if name not in {"state", "year_month", "latest"}]
        given = {name: self.cleaned_data.get(name) or None for name in names}
        if given[EVIDENCE] == ALL_RATES:
            given[EVIDENCE] = None  # what a missing filter means
        if given[CLASSES] == ONE_CLASS:
            given[CLASSES] = None
        if given[IMPLAUSIBLE] == LEFT_OUT:
            given[IMPLAUSIBLE] = None
        return Market(self.cleaned_data["state"], self.cleaned_data["year_month"], **given)

    def parameters(self) -> dict[str, Any]:
        """Return the parameters for links, without the word for what figures leave out by default."""
        return {name: value for name, value in super().parameters().items() if (name, value) != (IMPLAUSIBLE, LEFT_OUT)}

    def offer(self, **options: Options) -> None:
        """Show the named fields as select boxes. A value that is not among the options is added to them."""
        for name, some in options.items():
            value = self.cleaned_data.get(name, "")
            extra = [] if not value or value in dict(some) else [(value, value)]
            self.fields[name].widget = SelectBox(choices=[*some, *extra])

    def offer_fixed_options(self) -> None:
        """Show as select boxes the fields whose options are the same in every market."""
        # Only where a label is overruled, a class has rates that are labeled otherwise.
        like = [one for one in LIKE_CLASSES if one == self.cleaned_data.get("billing_class")]
        classes = (*BILLING_CLASSES, *like)
        self.offer(
            care_setting=[ANY, *((one, write_filter(one, "care_setting")) for one in CARE_SETTINGS)],
            pos=[ANY, *((code, f"{code} {name}") for code, name in PLACES.items())],
            billing_class=[ANY, *((one, _name_class(one, like)) for one in classes)],
            setting=_any_of(SETTINGS),
            negotiated_type=_any_of(RATE_TYPES),
            arrangement=_any_of(ARRANGEMENTS),
            specialty=_any_of(SPECIALTIES),
            entity=_any_of(ENTITY_TYPES),
            evidence=[("", "All rates"), (LIKELY, "Likely performed")],
        )
        if CLASSES in self.fields:
            self.offer(classes=[("", "The one with most rates"), (ALL_CLASSES, "All classes")])
        if AREA in self.fields:
            self.offer(area=[("", "Of the provider's own area"), (STATE_MEAN, "Mean of the state")])
        if YARDSTICK in self.fields:
            self.offer(yardstick=[("", "Medicare"), (OF_COMPENSATION, "Workers’ compensation schedule")])
        if BASIS in self.fields:
            self.offer(basis=[("", "What each rate belongs to"), *((name, name.upper()) for name in BASES)])


def _name_class(billing_class: str, like: Sequence[str]) -> str:
    """Return a class as an option. Beside one of LIKE_CLASSES, the same class by the label says so."""
    words = write_class(billing_class)
    return f"{words} (as labeled)" if like_class(billing_class) in like else words


def _any_of(values: Sequence[str]) -> Options:
    return [ANY, *((value, "not stated" if value == NOT_STATED else value) for value in values)]


class MeasuredForm(MarketForm):
    """A market whose rates are measured by Medicare, or by the state's workers' compensation schedule."""

    yardstick = OneOfField(
        "yardstick",
        YARDSTICKS,
        example=OF_COMPENSATION,
        meaning="What percents are of: Medicare (medicare, the default), or the state's workers' compensation schedule "
        "(compensation). A rate that the schedule does not price has a reason instead.",
    )

    def market(self) -> Market:
        """Return the market that was asked for. Medicare is what a missing yardstick means."""
        market = super().market()
        return replace(market, yardstick=None) if market.yardstick == OF_MEDICARE else market


class BasisForm(MeasuredForm):
    """A market whose rates are compared with Medicare's schedules, of which a visitor may choose one for all."""

    basis = OneOfField(
        "Medicare schedule",
        tuple(BASES),
        meaning="Compare all rates with this schedule of Medicare, whatever class they state: of physicians (mpfs), "
        "hospital outpatient departments (opps), or surgical centers (asc). If omitted, each rate is compared with the "
        "schedule that it belongs to.",
    )


class ComparedForm(BasisForm):
    """A market whose rates are compared with Medicare, where their providers are."""

    area = OneOfField(
        "Medicare amounts",
        AREAS,
        meaning="Compare each rate with Medicare's amount in the area of its provider group, where that is known (own, "
        "the default), or with the mean of the state (state).",
    )


class ProviderForm(ComparedForm):
    """The pages of an NPI and of a tax ID, which are part of the path and not of the query string."""

    in_path: Sequence[str] = ("npi", "tin")
    """The parameters that say who the provider is."""
    tables: Sequence[str] = ("rates", "families", "payers", "groups", "npis", "locations")
    sorts = tuple(provider_rates.ORDERS)

    classes = None  # each row is of one class
    q = SearchField()
    family = FamilyField()

    def with_values(self, **values: Any) -> Self:
        """Return a copy with some values replaced, but without the provider."""
        return super().with_values(**{**values, **dict.fromkeys(self.in_path, "")})

    def parameters(self) -> dict[str, Any]:
        """Return the parameters without the provider."""
        return {name: value for name, value in super().parameters().items() if name not in self.in_path}


class RatesForm(ComparedForm):
    """The rates of a code."""

    tables = ("rates", "summary", "histogram")
    sorts = tuple(rates.ORDERS)


class ReportForm(ComparedForm):
    """A code on one sheet of paper."""

    tables = ("payers",)


class MedicareForm(ComparedForm):
    """Rates compared with Medicare."""

    tables = (
        "rates", "payers", "bases", "reasons", "compensation_payers", "compensation_bases", "compensation_reasons",
    )  # fmt: skip
    sorts = tuple(medicare.ORDERS)


class RuleForm(MarketForm):
    """The rule behind a payer's rates."""

    tables = ("contracts", "families", "exceptions", "prices")
    classes = None  # it is about professional rates
    implausible = None  # and about each price by itself


class OrganizationsForm(MarketForm):
    """The organizations of a market."""

    q = SearchField("Name or tax ID", meaning="Words of an organization's name, or digits of its tax ID.")
    tables = ("organizations",)
    sorts = tuple(organizations.ORDERS)


class FeedForm(MarketForm):
    """What is new about a question. The month chooses nothing."""

    tables = ("news",)


class TrendForm(BasisForm):
    """A code over all months. The month chooses nothing."""

    tables = ("trend",)


class PayersForm(MarketForm):
    """Payers compared for some codes, and the page of one payer."""

    tables = ("payers", "networks", "files", "codes", "specialties", "against_market")

    codes = CodeListField()
    base = PayerField(
        "Compare with",
        meaning="The payer whose medians the others are compared with; all payers together if omitted.",
    )

    def clean(self) -> dict[str, Any]:
        """Drop the single code if there is a list."""
        super().clean()
        if self.cleaned_data.get("codes"):
            self.cleaned_data.update(code="", code_type="")
        return self.cleaned_data


class PayersPageForm(ComparedForm, PayersForm):
    """Payers compared on the page, whose prices have percents of Medicare."""


class ChangesForm(MarketForm):
    """A month compared with an earlier one, which is the parameter `from`."""

    implausible = None  # each price of an organization is compared with its own in the other month

    tables = ("rates", "codes", "payers", "terms", "organizations")
    sorts = tuple(dict.fromkeys((*changes.ORDERS, *changes.SORTS)))

    what = OneOfField("outcome", tuple(OUTCOMES), meaning="What became of what organizations are paid.")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        # `from` is a keyword of Python and cannot be a class attribute.
        self.fields["from"] = MonthField(
            "Compare with",
            meaning="The earlier month to compare with. What is omitted of this and `year_month` is the newest month "
            "for which one payer has rates in both, of the code if there are such.",
            example="2025-07",
        )

    def clean(self) -> dict[str, Any]:
        """Refuse an earlier month that is not before the later one."""
        super().clean()
        earlier, later = self.cleaned_data.get("from"), self.cleaned_data.get("year_month")
        if earlier and later and earlier >= later:
            self.add_error("from", not_earlier(earlier, later))
        return self.cleaned_data


def not_earlier(earlier: str, later: str) -> str:
    """Return the error for a month to compare with that is not before the month itself."""
    return f"{earlier!r} is not before {later}: expected an earlier month"
