"""Choose the newest rows of each clinician and code, and count what they say about codes and specialties."""

from collections.abc import Sequence

import polars as pl

_MOST_ISSUES = 1_000_000
"""More files than a load can have."""


def newest_by(rows: pl.DataFrame, key: Sequence[str], parts: Sequence[str]) -> pl.DataFrame:
    """Return the rows of the newest year of each key, and of that year's issues those of the last.

    A key has several rows, told apart by `parts`. A later issue replaces all of them: what it no longer has is gone.
    Of rows that repeat within one issue the last stays.
    """
    age = pl.col("year") * _MOST_ISSUES + pl.col("issue")
    chosen = rows.filter(age == age.max().over(key))
    return chosen.unique([*key, *parts], keep="last", maintain_order=True)


def use_of_codes(rows: pl.DataFrame) -> pl.DataFrame:
    """Return how many clinicians bill each code, with their services and years."""
    return rows.group_by("code").agg(
        clinicians=pl.col("npi").n_unique().cast(pl.Int64),
        services=pl.col("services").sum(),
        first_year=pl.col("year").min(),
        last_year=pl.col("year").max(),
    )


def use_of_specialties(rows: pl.DataFrame, specialties: pl.DataFrame, sizes: pl.DataFrame) -> pl.DataFrame:
    """Return how many of a specialty's clinicians bill each code, with their share of `sizes` (`of`) and services.

    `specialties` has the specialty of each NPI. One who bills in an office and in a facility counts once.
    """
    return (
        rows.group_by("code", "npi")
        .agg(pl.col("services").sum())
        .join(specialties, on="npi")
        .group_by("code", "specialty")
        .agg(clinicians=pl.len().cast(pl.Int64), services=pl.col("services").sum())
        .with_columns(pl.col("specialty").cast(pl.String))
        .join(sizes, on="specialty")
        .with_columns(share=pl.col("clinicians") / pl.col("of"))
        .drop("of")
    )
