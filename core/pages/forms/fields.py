"""The parameters of a query string: one field class per rule, shared by the forms of the pages and by the API.

A field turns text into the one spelling the data uses, then checks it by the rules of core.fields. Besides validating,
it describes itself: `expected` ends the sentence "'x' is not …", `pattern` (a regular expression for the whole value)
or `allowed` describe the canonical spelling to OpenAPI, and `meaning` and `example` document it. Pages accept any
spelling that a field can normalize (`ga`, ` 11 `); the API accepts the canonical one only.
"""

import re
from collections.abc import Sequence
from typing import Any

from django import forms

from core.fields.codes import code_list
from core.fields.codes.basket_list import basket_text, read_basket
from core.fields.codes.billing_code import parse_code_system
from core.fields.codes.modifier import MODIFIER_PATTERN
from core.fields.codes.short_code_list import LONGEST_LIST, lengthen_list, shorten_list
from core.fields.month import MONTH_PATTERN
from core.fields.places.place_of_service import PLACE_PATTERN, parse_places
from core.fields.places.states import STATES
from core.fields.providers.npi import NPI_PATTERN
from core.fields.providers.payer_slug import SLUG_PATTERN
from core.fields.providers.tin import MAX_TIN_DIGITS, remove_tin_marks
from core.queries.market.market_filters import NO_MODIFIER, NOT_STATED
from core.store.schema.columns import ARRANGEMENT, CODE, CODE_TYPE, PAYER
from core.store.schema.tables import DIM_PROVIDER_GROUP, FACT_RATE, XREF_POS

MAX_TEXT_LENGTH = 100
MAX_SEARCH_LENGTH = 150
"""The search box takes 100 characters. With its spelling corrected, a text may be longer."""
MAX_CODE_LIST_LENGTH = LONGEST_LIST
"""Room for the longest list however its codes are separated."""
MAX_ADDRESS_LIST = 3_500
"""Characters of a list in an address: servers take some 4,000 characters with everything else."""

BILLING_CLASSES = ("professional", "institutional", "both", NOT_STATED)
SETTINGS = ("inpatient", "outpatient", "both", NOT_STATED)

_NOT_CONTROL = r"[^\x00-\x1f\x7f-\x9f]"
_NOT_BLANK = r"[^\s\x00-\x1f\x7f-\x9f]"
TEXT_PATTERN = rf"{_NOT_BLANK}({_NOT_CONTROL}*{_NOT_BLANK})?"
"""One line of text without blanks at its ends."""

# A listed code contains a digit; a word without one is the name of a code system.
_LISTED_CODE = r"([A-Z][A-Z0-9-]*:)?([A-Z][A-Z.-]*)?[0-9][0-9A-Z.-]*(\*[0-9]{1,12}(\.[0-9]{1,6})?)?"

# Rates have modifiers, places of service, and words that no standard lists, and pages link to them: whatever the store
# may contain is valid here, in its canonical spelling.
_NOT_LOWERCASE = r"[^\x00-\x1f\x7f-\x9fA-Z]"
_WORDS_PATTERN = rf"[^\s\x00-\x1f\x7f-\x9fA-Z]({_NOT_LOWERCASE}*[^\s\x00-\x1f\x7f-\x9fA-Z])?"


class QueryField(forms.CharField):
    """An optional text parameter. `pattern` only describes it; a PatternField also checks it."""

    label = ""
    expected = "text"
    meaning = ""
    example = ""
    pattern = TEXT_PATTERN
    allowed: Sequence[str] = ()
    max_characters: int | None = None

    def __init__(self, label: str = "", *, meaning: str = "", example: str = "", **options: Any) -> None:
        super().__init__(required=False, label=label or self.label, max_length=self.max_characters, **options)
        self.meaning, self.example = meaning or self.meaning, example or self.example

    def clean(self, value: Any) -> str:
        """Return the value in its canonical spelling; empty text if it is missing."""
        return self.normalize(super().clean(value))

    def normalize(self, value: str) -> str:
        """Return the canonical spelling of a value that Django has stripped and measured."""
        return value


class PatternField(QueryField):
    """A parameter whose canonical spelling must match `pattern` or be one of `allowed`."""

    def clean(self, value: Any) -> str:
        """Return the canonical spelling. Raise ValidationError if it is not a valid one."""
        found = super().clean(value)
        if found and not self.accepts(found):
            raise forms.ValidationError(f"{found[:MAX_TEXT_LENGTH]!r} is not {self.expected}")
        return found

    def accepts(self, value: str) -> bool:
        """Return whether a value in canonical spelling is valid."""
        if self.allowed:
            return value in self.allowed
        return re.fullmatch(self.pattern, value, re.ASCII) is not None


class SearchField(QueryField):
    """What a visitor types into the search box: a number or words."""

    label = "Code or words"
    expected = f"at most {MAX_SEARCH_LENGTH} characters"
    meaning = "A code, the beginning of one, or words."
    example = "knee"
    pattern = rf"{_NOT_CONTROL}*"
    max_characters = MAX_SEARCH_LENGTH


class StateField(PatternField):
    """A state or territory."""

    label = "State"
    expected = "a state: two letters, such as GA"
    meaning = (
        "The state. If the state or the month is omitted, the newest month with the most rates is used; the answer "
        "says which."
    )
    example = "GA"
    allowed = tuple(STATES)

    def normalize(self, value: str) -> str:
        """Return the postal code in capitals."""
        return value.upper()


class MonthField(PatternField):
    """A month of the payers' files."""

    label = "Month"
    expected = "a month as YYYY-MM, such as 2025-08"
    meaning = "The month of the payers' files. If omitted, each payer counts with its newest month in the state."
    example = "2025-08"
    pattern = MONTH_PATTERN


class CodeTypeField(QueryField):
    """A code system, normalized as in the facts."""

    label = "Code system"
    expected = "a code system such as CPT, HCPCS, MS-DRG, or REV"
    meaning = "The code system. May be omitted if the code exists in one system only."
    example = "CPT"
    max_characters = CODE_TYPE.max_length

    def normalize(self, value: str) -> str:
        """Return the system in capitals; RC is REV."""
        return parse_code_system(value) or ""


class CodeField(QueryField):
    """A billing code. Its padding depends on the code system, so the form finishes the job."""

    label = "Code"
    expected = "a billing code, such as 99213"
    meaning = "The billing code."
    example = "99213"
    max_characters = CODE.max_length

    def normalize(self, value: str) -> str:
        """Return the code in capitals."""
        return value.upper()


class CodeListField(QueryField):
    """A pasted list of billing codes, separated by anything."""

    label = "Codes"
    expected = f"up to {code_list.MAX_CODES:,} codes joined by commas, such as 99213,CPT:99214"
    meaning = (
        f"Up to {code_list.MAX_CODES:,} codes or ranges (27440-27447) joined by commas, each with or without its code "
        "system. A code without one stands for every system that has it; CPT and HCPCS count as one. A code may have a "
        "volume behind a star (73721*120), which weighs it in an index. Pages shorten a long list to `~` and letters, "
        "which is taken here as well."
    )
    example = "99213,CPT:70450"
    # A shortened list is taken too, but not described: most texts of its letters unpack to nothing.
    pattern = f"{_LISTED_CODE}(,{_LISTED_CODE}){{0,{code_list.MAX_CODES - 1}}}"
    max_characters = MAX_CODE_LIST_LENGTH

    def normalize(self, value: str) -> str:
        """Return the codes joined by commas. Raise ValidationError if there are too many."""
        try:
            found = read_basket(lengthen_list(value))
        except ValueError as error:
            raise forms.ValidationError(f"{error}: expected {self.expected}") from None
        if len(found) > code_list.MAX_CODES:
            raise forms.ValidationError(f"{len(found):,} codes: expected at most {code_list.MAX_CODES:,}")
        text = basket_text(found)
        if (size := len(shorten_list(text))) > MAX_ADDRESS_LIST:
            fitting = len(found) * MAX_ADDRESS_LIST // size // 100 * 100
            raise forms.ValidationError(
                f"{len(found):,} codes are too many for an address: expected about {fitting:,}, or none with a volume"
            )
        return text


class PayerField(PatternField):
    """A payer, by its slug."""

    label = "Payer"
    expected = "a payer's key of a-z, 0-9, and _, such as example_health_plan"
    meaning = "The payer's key: the `payer_slug` of every table."
    example = "example_peach_health_plan"
    pattern = SLUG_PATTERN
    max_characters = 2 * PAYER.longest  # some letters become two characters of the key


class PlaceField(PatternField):
    """A place of service, or CSTM-00 for every place."""

    label = "Place of service"
    expected = "a place of service: two digits, such as 11"
    meaning = "The place of service. Also matches rates that apply in every place (CSTM-00)."
    example = "11"
    pattern = PLACE_PATTERN
    max_characters = XREF_POS.column("pos").max_length

    def normalize(self, value: str) -> str:
        """Return the place in two digits; several places stay several, which is then not valid."""
        return ",".join(parse_places(value)) or value.upper()


class OneOfField(PatternField):
    """One of a few words, in lowercase. `default` stands for a missing value."""

    def __init__(
        self, noun: str, allowed: Sequence[str], *, example: str = "", default: str = "", meaning: str = ""
    ) -> None:
        super().__init__(noun[:1].upper() + noun[1:], meaning=meaning)
        self.allowed = tuple(allowed)
        self.expected = f"a valid {noun}: expected one of {', '.join(allowed)}"
        self.example = example or next(iter(self.allowed), "")
        self.default = default

    def normalize(self, value: str) -> str:
        """Return the word in lowercase."""
        return value.lower() or self.default

    def accepts(self, value: str) -> bool:
        """Return whether the word is allowed."""
        return value in self.allowed


class LowercaseField(PatternField):
    """Words as payers write them, in lowercase: more values occur than the schema names."""

    pattern = _WORDS_PATTERN
    max_characters = ARRANGEMENT.max_length

    def __init__(self, noun: str, *, example: str, meaning: str) -> None:
        super().__init__(noun[:1].upper() + noun[1:], meaning=meaning)
        self.expected, self.example = f"a valid {noun}: expected words such as {example}", example

    def normalize(self, value: str) -> str:
        """Return the words in lowercase."""
        return value.lower()


class ModifierField(PatternField):
    """One billing code modifier, or `none` for rates without one."""

    label = "Modifier"
    expected = f"a modifier such as 26, or {NO_MODIFIER}"
    meaning = f"A modifier of the rate, or `{NO_MODIFIER}` for rates without one."
    example = NO_MODIFIER
    pattern = f"{NO_MODIFIER}|{MODIFIER_PATTERN}"
    max_characters = FACT_RATE.column("billing_code_modifier").max_length

    def normalize(self, value: str) -> str:
        """Return the modifier in capitals, the word for no modifier in lowercase."""
        return NO_MODIFIER if value.lower() == NO_MODIFIER else value.upper()


class NetworkField(QueryField):
    """A network's name, exactly as the payer publishes it."""

    label = "Network"
    expected = "the name of a network"
    meaning = "A network's name, as in `networks`."
    example = "Example PPO"
    max_characters = DIM_PROVIDER_GROUP.column("network_names").max_length


class NpiField(PatternField):
    """A National Provider Identifier."""

    label = "NPI"
    expected = "an NPI: 10 digits, starting with 1 or 2"
    meaning = "The NPI."
    example = "1234567893"
    pattern = NPI_PATTERN


class TinField(PatternField):
    """A tax ID: an EIN, or the NPI that a payer publishes in its place.

    Some that payers publish are neither, and have their rates and their page all the same.
    """

    label = "Tax ID"
    expected = "a tax ID: the 9 digits of an EIN, or the 10 digits of an NPI"
    meaning = "The tax ID: the 9 digits of an EIN, or the NPI that a payer publishes in its place."
    example = "123456789"
    pattern = f"[0-9]{{1,{MAX_TIN_DIGITS}}}"

    def normalize(self, value: str) -> str:
        """Return the number without hyphens and blanks."""
        return remove_tin_marks(value)


class CheckField(PatternField):
    """A data-quality check, by its name."""

    label = "Check"
    expected = "the name of a check, such as zero_rates"
    meaning = "The check, by its name."
    example = "zero_rates"
    pattern = "[a-z0-9_]+"
    max_characters = MAX_TEXT_LENGTH


class NumberField(forms.IntegerField):
    """A whole number from 1. `default` stands for a missing value."""

    pattern = "[1-9][0-9]{0,14}"
    example = "1"
    allowed: Sequence[str] = ()

    def __init__(
        self, label: str, *, max_value: int, expected: str, meaning: str = "", default: int | None = None
    ) -> None:
        super().__init__(required=False, label=label, min_value=1, max_value=max_value)
        self.expected, self.meaning, self.default = expected, meaning, default

    def clean(self, value: Any) -> int | None:
        """Return the number. Raise ValidationError if it is not a whole number in range."""
        try:
            found: int | None = super().clean(value)
        except forms.ValidationError:
            raise forms.ValidationError(f"{str(value)[:MAX_TEXT_LENGTH]!r} is not {self.expected}") from None
        return self.default if found is None else found
