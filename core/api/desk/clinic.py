"""A clinic's rates against its market: its published ones in an address, or its own lines in the body of a request."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

from ninja import Router
from pydantic import BaseModel, ConfigDict, Field

from core.api.protocol.problems import Problem
from core.api.protocol.resources import AnswerFields, MarketPage, ResourceRequest, posted_resource, resource
from core.fields.codes.basket_list import read_basket
from core.fields.codes.clinic_lines import MAX_LINES, ClinicLine, read_clinic_line
from core.fields.places.care_setting import FOUR_SETTINGS
from core.fields.providers.npi import NPI_PATTERN
from core.pages.forms.clinic_form import MAX_NPIS, ClinicForm
from core.queries.baskets.basket_answer import choose_codes
from core.queries.baskets.clinic_answer import ClinicAnswer, ClinicQuestion, answer_clinic, split_clinic
from core.queries.baskets.clinic_rows import ClinicPosition
from core.vocabulary.baskets import named_baskets

router = Router(tags=["Payers"])

_NOT_TAKEN = ["code", "code_type", "sort"]
_MOST = 1e9

_Amount = Annotated[float | None, Field(ge=0, le=_MOST)]


class PostedLine(BaseModel):
    """A service, and what the clinic knows of it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    code: str = Field(pattern="^[A-Z]?[0-9]{3,5}[A-Z]?$", description="Billing code.", examples=["73721"])
    modifier: str = Field("", pattern="^([0-9A-Z]{2})?$", description="Modifier; empty if none.", examples=["26"])
    setting: Literal["", *FOUR_SETTINGS] = Field(  # type: ignore[valid-type]
        "", description="The setting; empty for all of them.", examples=["office"]
    )
    units: _Amount = Field(None, description="How often the service is rendered.", examples=[120])
    rate: _Amount = Field(
        None, description="What the clinic is paid, in dollars; its published rates if left out.", examples=[412.5]
    )
    payer: str = Field(
        "",
        pattern="^[a-z0-9_]{0,100}$",
        description="Key of the payer that pays the rate; empty to compare it with every payer.",
        examples=["example_peach"],
    )


class PostedClinic(BaseModel):
    """What is in no address: the clinic's own lines, and its NPIs."""

    model_config = ConfigDict(extra="forbid", strict=True)

    npis: list[Annotated[str, Field(pattern=f"^{NPI_PATTERN}$")]] = Field(
        [], max_length=MAX_NPIS, description="The clinic's NPIs.", examples=[["1003000126"]]
    )
    lines: list[PostedLine] = Field([], max_length=MAX_LINES, description="The clinic's lines.")


@resource(router, "/clinic/positions", ClinicForm, MarketPage[ClinicPosition], without=_NOT_TAKEN)
def list_clinic_positions(request: ResourceRequest) -> AnswerFields:
    """List where a clinic's rates stand among each payer's, the largest shortfall first.

    The clinic is a `tin`, an `npi`, or an `organization`; the codes are those of a `basket`, of `codes`, or its own. To
    compare volumes and rates of your own, use `POST` with a JSON body: `{"npis": ["1003000126"], "lines": [{"code":
    "73721", "modifier": "", "setting": "office", "units": 120, "rate": 412.5}]}`. It is neither stored nor logged.
    """
    answer = _answer(request, (), ())
    return {**request.page_of(answer.positions), "rate_classes": answer.of_class.classes}


@posted_resource(router, "/clinic/positions", ClinicForm, MarketPage[ClinicPosition], PostedClinic, without=_NOT_TAKEN)
def compare_posted_clinic(request: ResourceRequest, posted: PostedClinic) -> AnswerFields:
    """Compare a clinic's own lines with each payer's rates, the largest shortfall first.

    The parameters are those of `GET`, but all rows come at once. Neither the lines nor the NPIs are stored or logged.
    """
    try:
        lines = [_read_line(number, line) for number, line in enumerate(posted.lines, 1)]
    except ValueError as error:
        raise Problem("wrong-parameter", errors=[("lines", str(error))]) from None
    answer = _answer(request, tuple(dict.fromkeys(posted.npis)), lines)
    # No cursor: it would be in an address, and would have to say what was posted.
    rows = {"rows": answer.positions, "next": None, "total": len(answer.positions)}
    return {**rows, "rate_classes": answer.of_class.classes}


def _read_line(number: int, line: PostedLine) -> ClinicLine:
    cells = {"code": line.code, "modifier": line.modifier, "setting": line.setting}
    return replace(read_clinic_line(number, cells), units=line.units, rate=line.rate, payer=line.payer)


def _answer(request: ResourceRequest, npis: tuple[str, ...], lines: Sequence[ClinicLine]) -> ClinicAnswer:
    values = request.values
    market, clinic = split_clinic(request.market, npis)
    if not clinic.values and not any(line.rate is not None for line in lines):
        raise Problem("wrong-parameter", errors=[("tin", "missing; expected tin, npi, or organization")])
    codes = choose_codes(request.db, named_baskets().get(values["basket"]), read_basket(values["codes"]))
    return answer_clinic(request.db, ClinicQuestion(market, clinic, lines, codes, has_keys=True))
