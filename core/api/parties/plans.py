"""Resources about health plans."""

from ninja import Router

from core.api.protocol.problems import Problem
from core.api.protocol.resources import AnswerFields, Page, ResourceRequest, resource
from core.pages.forms.query_form import QueryForm
from core.pages.forms.roll_up_forms import PlansForm
from core.queries.payers import plans

router = Router(tags=["Plans"])


@resource(router, "/plans", PlansForm, Page[plans.HealthPlan], without=["sort"])
def list_plans(request: ResourceRequest) -> AnswerFields:
    """Find health plans by words or a number, those that use the rates of a file (`batch`), or those of a payer.

    All plans if none is given. A file is listed for many plans, and a plan for many files.
    """
    batch, payer, text = request.values["batch"], request.values["payer"], request.values["q"]
    return request.page_at_offset(
        lambda limit, offset: plans.find_plans(request.db, text, limit, offset, batch=batch, payer=payer)
    )


@resource(router, "/plans/{plan}/files", QueryForm, Page[plans.PlanFile])
def list_plan_files(request: ResourceRequest) -> AnswerFields:
    """List the loaded files that are listed for a plan, with their networks, newest month first."""
    key = request.path_values["plan"]
    if plans.find_plan(request.db, key) is None:
        raise Problem("not-found", f"No loaded file is listed for a plan with the key {key}.")
    return request.page_of(plans.list_plan_files(request.db, key))
