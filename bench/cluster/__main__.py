"""Measure and strain what runs on several machines.

    python -m bench.cluster files 20000       register files: commit, planning, memory
    python -m bench.cluster tasks 10000       tasks that do nothing, on a Ray of this machine
    python -m bench.cluster kills 30          kill workers, nodes, drivers (on `file` or `s3` only: name it)
    python -m bench.cluster nodes 8           lose a node of two, or the head, by each kind of address
    python -m bench.cluster rounds 20         three committers at once, and a control that has to fail (also `postgres`)
    python -m bench.cluster elapsed           20 files of 100 MB: one machine, and 1 and 2 workers of a cluster
    python -m bench.cluster sql DIRECTORY     the seed's SQL in several engines (also bench.cluster.seed_sql_on_spark)
    python -m bench.cluster pages STORE       pages from local files, and from S3 with 0 and 40 ms a request

Needs the optional group: uv sync --group cluster-dev.
"""

import sys

from bench.cluster.elapsed import measure_elapsed
from bench.cluster.kills import measure_kills
from bench.cluster.lost_nodes import measure_lost_nodes
from bench.cluster.pages import measure_pages
from bench.cluster.rounds import measure_rounds
from bench.cluster.seed_sql import measure_seed_sql
from bench.cluster.small_files import measure_files, measure_tasks

PARTS = {
    "files": measure_files,
    "tasks": measure_tasks,
    "kills": measure_kills,
    "nodes": measure_lost_nodes,
    "rounds": measure_rounds,
    "elapsed": measure_elapsed,
    "sql": measure_seed_sql,
    "pages": measure_pages,
}


def main() -> None:
    """Run the part that the command line names. Explain the parts if it names none."""
    part, *rest = sys.argv[1:] or [""]
    if part not in PARTS:
        sys.exit(__doc__)
    PARTS[part](*(int(each) if each.isdecimal() else each for each in rest))  # type: ignore[operator]


if __name__ == "__main__":
    main()
