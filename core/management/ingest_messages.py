"""Report what ingest_mrf has done and found, line by line."""

import json
from collections.abc import Callable, Iterator, Sequence

from core.fetch.partial_file import Version
from core.load.batch.batch_record import BatchRecord, filters_of
from core.load.batch.provenance import LoadedSource
from core.load.load_many import Step
from core.load.outcome import LoadOutcome, rejects_of
from core.load.remote.fetch_groups import FetchReport
from core.load.remote.retry_unresolved import RetryOutcome
from core.load.stage_timing import format_stages
from core.tic.plans import Plan
from core.tic.table_of_contents import ListedFile, TableOfContents

Say = Callable[[str], object]

_PLANS_SHOWN = 3


def report_outcome(say: Say, done: LoadOutcome, *, detailed: bool = False) -> None:
    """Report what became of one document; `detailed` adds how long each stage took."""
    record = done.record
    rejects = rejects_of(record)
    say(f"{record['source']}")
    payer, month = record["reporting_entity_name"], record["year_month"]
    say(f"  {payer}, {record['state']}, {month}, batch {record['batch_id']}")
    if done.loaded_before:
        say(f"  already loaded on {record['finished_at']:%Y-%m-%d at %H:%M} UTC: nothing added")
    say(
        f"  {record['rows_read']:,} rows read: {done.rows_added:,} added, {done.duplicates:,} duplicate, "
        f"{record['rows_rejected']:,} rejected"
        + (f", {record['rows_filtered']:,} left out by filters" if record["rows_filtered"] else "")
        + "".join(f"; {why}: {n:,}" for why, n in sorted(rejects.items()))
    )
    if done.members:
        members = done.members
        say(
            f"  {members.groups:,} provider groups, {members.unresolved:,} unresolved; "
            f"{members.group_npis:,} group-NPI and {members.group_tins:,} group-TIN pairs; "
            f"{members.unused:,} groups no rate uses left out; {members.invalid_npis:,} invalid NPIs left out"
        )
    _report_rest(say, done, detailed=detailed)


def report_document(say: Say, outcomes: Sequence[LoadOutcome], *, detailed: bool = False) -> None:
    """Report what became of one document for several states, a line for each state that has any of its rates."""
    record = outcomes[0].record
    say(f"{record['source']}")
    say(
        f"  {record['reporting_entity_name']}, {record['year_month']}, batch {record['batch_id']}, "
        f"for {len(outcomes)} states"
    )
    say(f"  {record['rows_read']:,} rows read, and of these in")
    report_states(say, outcomes)
    new = [done for done in outcomes if not done.loaded_before]
    _report_rest(say, new[0] if new else outcomes[0], detailed=detailed)


def report_states(say: Say, outcomes: Sequence[LoadOutcome]) -> None:
    """Report the counts of several states, of one document or of many; nothing for one state.

    A rate of a group that practices in two states is added to each, so states do not add up to the rows of a file.
    """
    by_state: dict[str, list[LoadOutcome]] = {}
    for done in outcomes:
        by_state.setdefault(done.record["state"], []).append(done)
    if len(by_state) < 2:
        return
    without = []
    for state, each in sorted(by_state.items()):
        records = [done.record for done in each]
        if all(done.loaded_before for done in each):
            say(f"  {state}: already loaded, nothing added")
        elif any(done.rows_added or done.duplicates for done in each):
            say(
                f"  {state}: {sum(done.rows_added for done in each):,} added, "
                f"{sum(done.duplicates for done in each):,} duplicate, "
                f"{sum(record['rows_rejected'] for record in records):,} rejected, "
                f"{sum(record['rows_filtered'] for record in records):,} left out by filters"
            )
        else:
            without.append(state)
    if without:
        say(f"  no rates in {', '.join(without)}")


def summarize_loaded(loaded: Sequence[Sequence[LoadOutcome]]) -> str:
    """Return how many documents were loaded and the rows of all of them. A document's rows are read for all states."""
    read = sum(outcomes[0].record["rows_read"] for outcomes in loaded)
    added = sum(done.rows_added for outcomes in loaded for done in outcomes)
    return f"{len(loaded)} files loaded: {read:,} rows read, {added:,} added"


def _report_rest(say: Say, done: LoadOutcome, *, detailed: bool) -> None:
    """Report what is the same for every state."""
    record = done.record
    for line in list_oddities(record):
        say(f"  {line}")
    if done.locations and done.locations.failed:
        _report_failed(say, done.locations)
        say(f"  to try them again: manage.py ingest_mrf --resolve {record['batch_id']}")
        if any(one.of_providers for one in filters_of(record)):
            say("  the filter on providers left out the rates of groups whose members are unknown")
    say(f"  {done.seconds:.1f} s, {record['rows_read'] / max(done.seconds, 1e-3):,.0f} rows/s")
    if detailed:
        for line in format_stages(done.stages):
            say(line)


_ODDITIES = {
    "items_without_rates": "{:,} items without rates",
    "rates_without_prices": "{:,} rates without prices",
    "elements_that_are_not_objects": "{:,} elements that are not objects",
    "provider_groups_without_an_id": "{:,} provider groups without an id",
    "provider_references_that_are_no_ids": "{:,} provider references that are not ids",
    "bundled_codes_without_a_code": "{:,} bundled codes without a code",
    "lists_in_place_of_scalars": "{:,} lists or objects where one value belongs, left out",
    "invalid_tin": "{:,} tax numbers that are not numbers, left out",
    "personal_tin": "personal tax number withheld in {:,} provider groups",
    "misspelt_keys": "{:,} objects with a misspelt key, read all the same",
    "repeated_keys": "{:,} lists given twice, both read",
    "provider_group_ids_in_two_spellings": "{:,} provider group ids that differ only in how their number is spelled",
    "shortened_texts": "{:,} texts that were too long, shortened",
    "texts_with_control_characters": "{:,} texts with control characters, removed",
    "extra_bytes_after_gzip": "{:,} extra bytes after the end of the gzip stream were ignored",
}
"""What is said of a batch's notes, in this order. Other notes are not worth a line of their own."""


def list_oddities(record: BatchRecord) -> Iterator[str]:
    """Yield lines on what was odd in a file, whether or not its record comes from the store."""
    notes = record["notes"]
    counts: dict[str, int] = json.loads(notes) if isinstance(notes, str) else notes
    yield from (text.format(counts[note]) for note, text in _ODDITIES.items() if counts.get(note))


def warn_of_nothing(done: LoadOutcome) -> Iterator[str]:
    """Yield a warning if a file has items, but no rate that could be read."""
    record = done.record
    if record["in_network_items"] and record["rows_read"] == record["rows_rejected"]:
        yield (
            f"warning: {record['source']}: {record['in_network_items']:,} items and no rate that could be read; "
            "silver/rejects lists what was left out; report it to the payer"
        )


def report_skipped(say: Say, step: Step) -> None:
    """Report which members of a zip file are not data."""
    say(f"{step.name}: skipped, as not data: {', '.join(step.skipped)}")


def report_unchanged(say: Say, step: Step) -> None:
    """Report that a file on the web was loaded before."""
    say(step.name)
    if step.problem:
        say("  loaded before: nothing fetched; could not check whether it has changed since")
    else:
        say("  loaded before and not changed on the web since: nothing fetched")


def list_contents_oddities(found: TableOfContents) -> Iterator[str]:
    """Yield lines on what a table of contents lists that cannot be loaded, or is not stored as published."""
    if found.left_out:
        yield "left out: " + ", ".join(f"{count:,} {kind}" for kind, count in sorted(found.left_out.items()))
    yield from found.problems
    if found.altered_plans:
        yield f"{found.altered_plans:,} plans have texts that are too long or contain control characters; both are cut"


def report_contents(
    say: Say,
    found: TableOfContents,
    chosen: list[ListedFile],
    versions: list[Version | str],
    before: dict[str, LoadedSource],
) -> None:
    """List files: their size on the web, what is loaded of them, how many plans they are for, and which."""
    known = 0
    every: set[Plan] = set()
    sizes = [version.size for version in versions if isinstance(version, Version) and version.size is not None]
    for file, version in zip(chosen, versions, strict=True):
        plans = found.plans_of(file)
        every |= plans
        there = before.get(file.address.identity)
        same = there and isinstance(version, Version) and there.version.same_as(version)
        known += bool(there)
        mark = "" if not there else ", loaded" if same else ", loaded before; possibly another version"
        mark += ", in part" if there and not there.has_all_rates else ""
        size = size_text(version.size) if isinstance(version, Version) else "?"
        say(f"{size:>9}  {file.address}{mark}")
        say(f"{'':>9}  {_plans_text(plans)}" + (f"; {file.description}" if file.description else ""))
        if isinstance(version, str):
            say(f"{'':>9}  {version}")
    unknown = len(chosen) - len(sizes)
    say(
        f"{len(chosen):,} of {len(found.files):,} files, for {len(every):,} of {len(found.plans):,} plans, "
        f"{size_text(sum(sizes))}" + (f" and {unknown:,} of unknown size" if unknown else "")
        + (f"; {known:,} loaded" if known else "")
    )  # fmt: skip


def report_retry(say: Say, done: RetryOutcome) -> None:
    """Report what became of a batch's provider groups whose members were unknown."""
    say(f"batch {done.batch_id}")
    groups = done.members.groups if done.members else 0
    say(
        f"  {done.report.asked:,} addresses asked; {groups:,} provider groups have members now, "
        f"{done.remaining:,} have none"
    )
    if done.members:
        members = done.members
        say(
            f"  {members.group_npis:,} group-NPI and {members.group_tins:,} group-TIN pairs added; "
            f"{members.invalid_npis:,} invalid NPIs left out"
        )
    if done.wanted_now:
        say(
            f"  {done.wanted_now:,} of the groups match the filter that the file was loaded with, unknown then; to "
            "add their rates, load the file again with the same options"
        )
    if done.report.failed:
        _report_failed(say, done.report)
    if done.signed:
        say(
            f"  {done.signed:,} addresses were signed, and signatures are not stored; name the payer's file as well: "
            f"manage.py ingest_mrf --resolve {done.batch_id} FILE"
        )


def size_text(size: int | None) -> str:
    """Return a number of bytes in a few characters."""
    if size is None:
        return "?"
    for unit, bytes_ in (("TB", 10**12), ("GB", 10**9), ("MB", 10**6), ("kB", 1000)):
        if size >= bytes_:
            return f"{size / bytes_:,.1f} {unit}"
    return f"{size} B"


def _report_failed(say: Say, report: FetchReport) -> None:
    say(f"  {report.failed:,} of {report.asked:,} addresses of provider groups could not be fetched, such as:")
    for problem in report.examples:
        say(f"    {problem}")


def _plans_text(plans: frozenset[Plan]) -> str:
    if not plans:
        return "no plan named"
    some = sorted(plan.label for plan in plans)[:_PLANS_SHOWN]
    more = f" and {len(plans) - len(some):,} more" if len(plans) > len(some) else ""
    return f"{len(plans):,} {'plan' if len(plans) == 1 else 'plans'}: {'; '.join(some)}{more}"
