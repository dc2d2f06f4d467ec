"""One question for everything: what a text may be."""

from ninja import Router
from pydantic import BaseModel, Field

from core.api.resources import Answer, Asked, Found, resource
from core.pages.forms import CodesForm
from core.queries.codes import CodeTitle
from core.queries.search import Provider, search_everything

router = Router(tags=["Search"])


class PayerFound(BaseModel):
    """A payer that was found."""

    payer_slug: str
    reporting_entity_name: str


class Meanings(Answer):
    """What a text may be."""

    codes: list[CodeTitle]
    codes_in_all: int = Field(description="How many codes there are; `codes` has them all.")
    providers: list[Provider]
    payers: list[PayerFound]
    corrected: str | None = Field(description="The text that codes were searched for instead; null where as given.")


@resource(router, "/search", CodesForm, Meanings, required=["q"])
def meanings(asked: Asked) -> Found:
    """What a text may be: a code, an NPI, a tax number, an organization or a payer.

    The first twelve of each. Where nothing has the text, codes of words that differ by a typing error.
    """
    found = search_everything(asked.db, asked.chosen["q"])
    payers = [PayerFound(payer_slug=slug, reporting_entity_name=name) for slug, name in found.payers]
    return {**vars(found), "payers": payers}
