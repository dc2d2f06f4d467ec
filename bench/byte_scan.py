"""Measure the least that a filtered read has to do: unpack a file, and look for the bytes before each list of groups.

    python -m bench.byte_scan FILE.json.gz

No reader that unpacks the file is faster. Nothing is parsed, checked, or counted but how often the bytes were found.
"""

import sys
from pathlib import Path

from isal import igzip

MARK = b'"provider_references":['
BLOCK_BYTES = 4 << 20


def scan(path: Path) -> int:
    """Return how often the mark occurs in a file's JSON, not counting those that two blocks share."""
    count = 0
    with igzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:  # type: ignore[no-untyped-call]
        while block := file.read(BLOCK_BYTES):
            at = block.find(MARK)
            while at >= 0:
                count += 1
                at = block.find(MARK, at + len(MARK))
    return count


if __name__ == "__main__":
    print(f"{scan(Path(sys.argv[1]))} marks")
