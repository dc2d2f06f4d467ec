"""The slow reference of settings: what a rate's place codes, class, stated setting, and payee say in four words.

The sides of professionals' rates are here too.
"""

from collections.abc import Sequence

from core.fields.places.care_setting import FOUR_SETTINGS, SETTING_OF_PLACE
from core.queries.rules.rate_kinds import FACILITY_PLACES, NON_FACILITY_PLACES


def settings_slowly(
    code_type: str, setting: str | None, billing_class: str | None, places: Sequence[str], *, at_center: bool = False
) -> set[str]:
    if setting == "inpatient" or "DRG" in code_type:
        return {"inpatient"}
    if at_center and billing_class in {"institutional", "both"}:
        return {"surgical center"}
    if not places:
        if billing_class not in {"institutional", "both"}:
            return {"unstated"}
        return {"hospital outpatient", "inpatient"} if setting == "both" else {"hospital outpatient"}
    found = (
        set(FOUR_SETTINGS) if "CSTM-00" in places else {SETTING_OF_PLACE[p] for p in places if p in SETTING_OF_PLACE}
    )
    if not found:
        return {"other place"}
    if setting == "outpatient":
        return found - {"inpatient"} or {"hospital outpatient"}
    return found


def sides_slowly(
    code_type: str, setting: str | None, places: Sequence[str], *, outside_without_places: bool = False
) -> set[str]:
    """Return the sides that a rate is on: a list for facilities alone, or for other places alone, is on one.

    So is a professional's rate without places for a code that Medicare pays less for in facilities.
    """
    if setting == "inpatient" or "DRG" in code_type:
        return {"facility or unstated"}
    if outside_without_places and not places:
        return {"non-facility or unstated"}
    inside = any(place in FACILITY_PLACES for place in places)
    outside = any(place in NON_FACILITY_PLACES for place in places)
    if "CSTM-00" in places or inside == outside:
        return {"non-facility or unstated", "facility or unstated"}
    return {"facility or unstated"} if inside else {"non-facility or unstated"}
