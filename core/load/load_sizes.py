"""How much of a file is held in memory at a time."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LoadSizes:
    """The limits that keep memory from growing with the file.

    The defaults were measured on files of 1 GB and more. Tests pass small values, so that a file of a few kilobytes
    goes through every seam: several chunks, runs, merges, partitions, and ranges.
    """

    chunk_bytes: int = 4 << 20
    """JSON text handed to a worker at a time."""
    giant_item_bytes: int = 24 << 20
    """An item longer than this is taken apart: its negotiated_rates arrive chunk by chunk."""
    small_file_chunks: int = 4
    """A file of fewer chunks than this is read by the calling process alone: starting workers would take longer."""

    cached_field_bytes: int = 32 << 20
    """Memory for the item and price fields a worker has read, and as much again for lists of provider groups. A cache
    that outgrows this starts over."""
    cached_member_bytes: int = 48 << 20
    """Memory for the provider objects a worker has read. The cache starts over when it outgrows this."""
    cached_texts: int = 100_000
    """Texts of modifiers, and of places of service, that a worker keeps."""

    groups_per_row: int = 1 << 16
    """A price of more provider groups than this is staged as several rows."""
    run_prices: int = 250_000
    """Prices in memory before they are written to disk as a sorted run."""
    run_fact_rows: int = 3_000_000
    """Fact rows (prices times provider groups) in memory before they are written as a run."""
    block_keys: int = 1 << 20
    """Group keys of a run that are unfolded at a time."""
    spool_rows: int = 50_000
    """Rows of other tables in memory before they are written to disk."""

    open_runs: int = 64
    """Runs read side by side. A file with more is merged into fewer first."""
    min_partition_rows: int = 250_000
    """A partition has at least this many fact rows, to be worth a trip to a worker."""
    max_partition_rows: int = 1_000_000
    """A partition has about this many fact rows at most, to fit a worker's memory."""
    known_facts: int = 2_000_000
    """Facts of the store that new facts are compared with at a time."""

    range_pairs: int = 400_000
    """Pairs of a provider group and a provider object in one range of cross references: some million rows."""
    range_rows: int = 1_000_000
    """Cross-reference rows that are sorted at a time."""
    part_lookups: int = 2_000_000
    """Provider objects whose positions are looked up at a time."""


DEFAULT_SIZES = LoadSizes()
