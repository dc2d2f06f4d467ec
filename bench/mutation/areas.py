"""The critical modules by area, and the tests nearest to each, fast ones first: the first failure ends a run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Area:
    """Some modules, and the pytest arguments that run their nearest tests."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


AREAS = {
    "fields": Area(
        tuple(
            f"core/fields/{name}.py"
            for name in (
                "codes/billing_code", "codes/code_list", "codes/modifier", "dates", "month", "places/place_of_service",
                "providers/npi", "providers/payer_slug", "providers/provider_group_id", "providers/tin", "rate",
                "texts/text",
            )
        ),
        ("tests/fields",),
    ),
    "comparison": Area(
        (
            "core/queries/comparison/compared_rates.py", "core/queries/rules/rate_kinds.py",
            "core/queries/comparison/schedules.py",
        ),
        ("tests/queries/comparison/test_comparison_cases.py", "tests/queries/comparison/test_compared_rates.py"),
    ),
    "matching": Area(
        ("core/queries/over_time/matching.py",),
        ("tests/queries/over_time/test_changes.py",),
    ),
    "flatten": Area(
        (
            "core/load/flatten/flatten_elements.py", "core/load/flatten/rate_groups.py",
            "core/load/flatten/item_fields.py", "core/load/flatten/price_fields.py",
            "core/load/flatten/plain_rates.py", "core/load/flatten/unwanted_rates.py",
            "core/load/flatten/item_rates.py", "core/load/flatten/left_out.py", "core/load/flatten/file_pieces.py",
        ),
        (
            "tests/load/test_plain_rates.py", "tests/load/test_unwanted_rates.py", "tests/load/test_reading_rules.py",
            "tests/load/test_group_references.py", "tests/load/payer_mistakes", "tests/load/test_load_file.py",
            "tests/load/test_rate_filters.py", "tests/load/test_hostile.py", "tests/load/test_load_sizes.py",
            # 23 seconds, and about writing tables.
            "--deselect=tests/load/test_load_file.py::test_tables_of_several_row_groups_are_in_order",
        ),
    ),
    "facts": Area(
        (
            "core/load/facts/build_facts.py", "core/load/facts/fact_rows.py", "core/load/facts/merge_price_runs.py",
            "core/load/facts/partition.py", "core/load/facts/run_slices.py", "core/load/facts/write_segment.py",
            "core/load/facts/route_runs.py",
        ),
        (
            "tests/load/facts", "tests/load/test_reading_rules.py", "tests/load/test_rate_filters.py",
            "tests/load/test_load_sizes.py", "tests/load/test_many_states.py",
        ),
    ),
    "ids": Area(("core/store/schema/ids.py",), ("tests/store/schema",)),
    "append": Area(
        (
            "core/store/changes/append.py", "core/store/changes/upsert.py", "core/store/changes/sorted_facts.py",
            "core/store/changes/known_facts.py",
        ),
        (
            "tests/store/changes/test_append_segments.py", "tests/store/changes/test_known_facts.py",
            "tests/store/changes/test_append.py", "tests/store/changes/test_upsert.py",
            "tests/store/changes/test_reshard.py", "tests/load/test_load_file.py",
        ),
    ),
    "merge": Area(
        (
            "core/store/parquet/sorted_merge.py", "core/store/parquet/row_group_copier.py",
            "core/store/parquet/row_group_bounds.py",
        ),
        ("tests/store/parquet", "tests/store/changes/test_append.py", "tests/store/changes/test_upsert.py"),
    ),
    "manifest": Area(
        (
            "core/store/generations/manifest.py", "core/store/generations/transaction.py",
            "core/store/generations/store.py",
        ),
        (
            "tests/store/generations/test_manifest.py", "tests/store/generations/interrupted/test_durability.py",
            "tests/store/generations/test_store.py", "tests/store/generations/test_layouts.py",
            "tests/store/generations/test_upgrade.py", "tests/store/generations/integrity/test_damage.py",
            "tests/store/upkeep",
        ),
    ),
    "amounts": Area(
        ("core/reference/medicare/professional/physician_amounts.py",),
        (
            "tests/reference/medicare/professional/test_physician_amounts.py",
            "tests/reference/medicare/professional/test_physician.py",
        ),
    ),
    "guard": Area(("core/fetch/guard.py",), ("tests/fetch/test_guard.py",)),
    "pages": Area(
        (
            "core/pages/shared/paging.py", "core/pages/shared/downloads.py", "core/pages/shared/market_choice.py",
            "core/pages/formats.py",
        ),
        (
            "tests/pages/shared", "tests/pages/test_formats.py", "tests/pages/all_pages/test_invalid_queries.py",
            "tests/pages/code_pages/test_rates.py", "tests/pages/all_pages/test_tables_as_files.py",
        ),
    ),
}  # fmt: skip
