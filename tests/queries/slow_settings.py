"""The slow reference of settings: what a rate's place codes, class, stated setting, and payee say in four words."""

from collections.abc import Sequence

from core.fields.places.care_setting import FOUR_SETTINGS, SETTING_OF_PLACE


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
