"""Random selections of facts, and the slow answer to what they select."""

from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from core.fields.providers.payer_slug import make_payer_slug
from core.store.changes.selection import Selection
from tests.store.steps import Row


def fits(row: Row, selection: Selection, batches: dict[str, str], uids: set[str]) -> bool:
    """Return, slowly, whether a fact is selected."""
    wanted = vars(selection)
    same = ("state", "year_month", "code_type")
    return (
        all(wanted[name] in {None, row[name]} for name in same)
        and (wanted["code"] is None or row["code"] in wanted["code"])
        and wanted["batch"] in {None, batches[row["pg_uid"]]}
        and wanted["payer"] in {None, row["reporting_entity_name"], make_payer_slug(row["reporting_entity_name"])}
        and (wanted["min_rate"] is None or row["negotiated_rate"] >= wanted["min_rate"])
        and (wanted["max_rate"] is None or row["negotiated_rate"] <= wanted["max_rate"])
        and (wanted["uids"] is None or row["fact_uid"] in uids)
    )


@st.composite
def chosen(draw: st.DrawFn, rows: list[Row], batches: dict[str, str], directory: Path) -> tuple[Selection, set[str]]:
    """Draw a selection by one to three conditions, most of them about one of the facts."""
    row = draw(st.sampled_from(rows))
    rates = st.sampled_from([0.0, 3.0, 5.0, 12.0, 41.0, row["negotiated_rate"]])
    low, high = sorted((draw(rates), draw(rates)))
    uids = set(draw(st.lists(st.sampled_from([r["fact_uid"] for r in rows]), min_size=1, max_size=9)))
    path = directory / "uids.txt"
    path.write_text("# wrong\n\n" + "\n".join([*sorted(uids), "0" * 32]).upper() + "\n")
    ways: dict[str, Any] = {
        "batch": batches[row["pg_uid"]],
        "payer": draw(st.sampled_from([row["reporting_entity_name"], make_payer_slug(row["reporting_entity_name"])])),
        "state": row["state"],
        "year_month": row["year_month"],
        "code_type": row["code_type"],
        "code": draw(st.sampled_from([(row["code"],), ("70001",), ("1", row["code"], "70001")])),
        "min_rate": low,
        "max_rate": high,
        "uids": path,
    }
    names = draw(st.sets(st.sampled_from(list(ways)), min_size=1, max_size=3))
    return Selection(**{name: ways[name] for name in names}), uids
