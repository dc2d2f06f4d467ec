"""One question for everything: what a text may be."""

from ninja import Router
from pydantic import BaseModel, Field

from core.api.protocol.resources import Answer, Asked, Found, resource
from core.pages.forms import CodesForm
from core.queries.codes import CodeTitle
from core.queries.rules.columns import PayerName, PayerSlug
from core.queries.search import Provider, search_everything

router = Router(tags=["Search"])


class PayerFound(BaseModel):
    """A payer that was found."""

    payer_slug: PayerSlug
    reporting_entity_name: PayerName


class Meanings(Answer):
    """What a text may be."""

    codes: list[CodeTitle] = Field(description="Billing codes that match, best first.")
    codes_in_all: int = Field(description="Number of codes that match; the resource `codes` lists them.", examples=[12])
    providers: list[Provider] = Field(description="Providers that match.")
    payers: list[PayerFound] = Field(description="Payers that match.")
    corrected: str | None = Field(
        description="The text with its spelling corrected, if only that matches codes; otherwise null.", examples=[None]
    )


@resource(router, "/search", CodesForm, Meanings, required=["q"])
def meanings(asked: Asked) -> Found:
    """What a text may be: a code, an NPI, a tax number, an organization or a payer.

    The first twelve of each. Where nothing has the text, codes of words that differ by a typing error.
    """
    found = search_everything(asked.db, asked.chosen["q"])
    payers = [PayerFound(payer_slug=slug, reporting_entity_name=name) for slug, name in found.payers]
    return {**vars(found), "payers": payers}
