"""Puts small faults into the critical code, one at a time, and runs the nearest tests of each.

    python -m bench.mutation                          300 faults over all areas
    python -m bench.mutation fields comparison --mutants 60
    python -m bench.mutation --seed 2 --workers 2 --survivors survivors.txt

The working tree is not touched: each worker has a copy of the committed and changed files. Prints a table of the faults
that tests noticed, by area, and each that none noticed. The same seed and code choose the same faults. Faults that
change no behavior are named, with the reason, in bench/mutation/equivalent.txt, and are not chosen.
"""

import argparse
import ast
import difflib
import os
import queue
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cosmic_ray.mutating import mutate_code

from bench.mutation.areas import AREAS, Area
from bench.mutation.operators import all_operators, count_occurrences

ROOT = Path(__file__).resolve().parents[2]
EQUIVALENT = Path(__file__).with_name("equivalent.txt")
OPERATORS = all_operators()
MAX_KILOBYTES = 12_000_000
"""How much address space a run of the tests may have. Without a fault they use some 3 GB."""


@dataclass(frozen=True)
class Fault:
    """One change of one module: the lines before and after."""

    area: str
    module: str
    operator: str
    line: int
    before: str
    after: str
    source: str

    def __str__(self) -> str:
        return f"{self.module}:{self.line}: {self.before} → {self.after}"


def main() -> None:
    """Choose faults, try each, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("areas", nargs="*", metavar="AREA", help=f"out of {', '.join(AREAS)} (default: all)")
    parser.add_argument("--mutants", type=int, default=300, help="faults in all, shared by the areas (default: 300)")
    parser.add_argument("--seed", type=int, default=1, help="which faults are chosen (default: 1)")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="runs at a time (default: one a core)")
    parser.add_argument("--examples", type=int, default=10, help="of each random test (default: 10)")
    parser.add_argument("--survivors", type=Path, help="also write the faults that no test noticed to this file")
    options = parser.parse_args()
    names = options.areas or list(AREAS)
    unknown = set(names) - set(AREAS)
    if unknown:
        parser.error(f"{', '.join(unknown)}: not an area; expected {', '.join(AREAS)}")
    faults = choose(names, options.mutants, random.Random(options.seed))
    with TemporaryDirectory() as directory:
        copies: queue.Queue[Path] = queue.Queue()
        for number in range(options.workers):
            copies.put(copy_tree(Path(directory) / str(number)))
        limits = {name: time_tests(AREAS[name], copies.queue[0], options.examples) for name in names}
        began = time.monotonic()
        with ThreadPoolExecutor(options.workers) as pool:
            outcomes = list(
                pool.map(lambda fault: attempt(fault, copies, limits[fault.area], options.examples), faults)
            )
    survivors = [fault for fault, noticed in zip(faults, outcomes, strict=True) if not noticed]
    print_table(names, faults, survivors, time.monotonic() - began)
    for fault in survivors:
        print(f"not noticed: {fault}")
    if options.survivors:
        options.survivors.write_text("".join(f"{fault}\n" for fault in survivors))


def choose(names: list[str], number: int, chance: random.Random) -> list[Fault]:
    """Return as many faults, each area's share alike. What a small area has too few of, the others get."""
    equivalent = {line.split(" # ")[0] for line in EQUIVALENT.read_text().splitlines() if line}
    pools = {name: possible_faults(name, chance, equivalent) for name in names}
    chosen: list[Fault] = []
    while pools and len(chosen) < number:
        for name in list(pools):
            fault = next(pools[name], None) if len(chosen) < number else None
            if fault:
                chosen.append(fault)
            elif len(chosen) < number:
                del pools[name]
    return sorted(chosen, key=lambda fault: names.index(fault.area))


def possible_faults(area: str, chance: random.Random, equivalent: set[str]) -> Iterator[Fault]:
    """Yield an area's faults in random order, without those known to change no behavior."""
    sources = {module: (ROOT / module).read_text() for module in AREAS[area].modules}
    kinds = [
        [(module, operator, number) for number in range(count_occurrences(source, OPERATORS[operator]))]
        for module, source in sources.items()
        for operator in OPERATORS
    ]
    for kind in kinds:
        chance.shuffle(kind)
    # NumberReplacer and SqlToken have most occurrences by far. With one of each kind in turn they would have too few
    # faults, and with a draw from all the other kinds would have none: the square root is between.
    while kinds := [kind for kind in kinds if kind]:
        (kind,) = chance.choices(kinds, [len(kind) ** 0.5 for kind in kinds])
        module, operator, number = kind.pop()
        fault = make(area, module, sources[module], operator, number)
        if fault and f"{fault.module}: {fault.before} → {fault.after}" not in equivalent:
            yield fault


def make(area: str, module: str, source: str, operator: str, occurrence: int) -> Fault | None:
    """Return the fault, or None where it changes nothing or leaves no module that Python can read."""
    mutated = mutate_code(source, OPERATORS[operator], occurrence)
    if mutated is None or not changes_something(source, mutated):
        return None
    old, new = source.splitlines(), mutated.splitlines()
    for tag, first, last, begin, end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            before, after = (" ".join(line.strip() for line in lines) for lines in (old[first:last], new[begin:end]))
            # Whether a dataclass is frozen and which calls are legal matters to the reader, not to any answer.
            legal = (before.replace("strict=True", "strict=False"), before.replace("*,", "/,"))
            if before.startswith("@dataclass") or after in legal:
                return None
            return Fault(area, module, operator, first + 1, before, after, mutated)
    return None


def changes_something(source: str, mutated: str) -> bool:
    """Return whether a mutated module is valid Python and more than another spelling: 1e16 + 1 is 1e+16."""
    try:
        compile(mutated, "mutated", "exec")
    except SyntaxError:
        return False
    return ast.dump(ast.parse(mutated)) != ast.dump(ast.parse(source))


def copy_tree(root: Path) -> Path:
    """Return a copy of the files that git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT, capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
    return root


def run_tests(area: Area, root: Path, examples: int, limit: float | None = None) -> bool:
    """Return whether the area's tests pass."""
    # A fault that never ends may also take memory without end.
    limited = ["sh", "-c", f'ulimit -v {MAX_KILOBYTES}; exec "$@"', "sh"]
    command = [*limited, sys.executable, "-m", "pytest", "-q", "-x", "-n0", "-p", "no:cacheprovider", "--every-case"]
    environment = {
        **os.environ,
        "PYTHONPATH": str(root),
        "PYTHONDONTWRITEBYTECODE": "1",  # two mutants of one second and size would share a .pyc
        "HYPOTHESIS_EXAMPLES": str(examples),
        "NO_SHRINKING": "1",
        "HYPOTHESIS_STORAGE_DIRECTORY": str(root / ".hypothesis"),
    }
    try:
        done = subprocess.run(
            [*command, "-p", "no:randomly", "--hypothesis-seed=0", *area.tests],
            cwd=root, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=limit, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False  # a fault that never ends is noticed
    return done.returncode == 0


def time_tests(area: Area, root: Path, examples: int) -> float:
    """Return the seconds after which a run counts as one that never ends. The tests must pass without a fault."""
    began = time.monotonic()
    if not run_tests(area, root, examples):
        sys.exit(f"{' '.join(area.tests)}: fails without any fault; run it by itself and mend it first")
    return 60 + 4 * (time.monotonic() - began)


def attempt(fault: Fault, copies: "queue.Queue[Path]", limit: float, examples: int) -> bool:
    """Return whether the tests notice a fault."""
    root = copies.get()
    path = root / fault.module
    original = path.read_text()
    try:
        path.write_text(fault.source)
        noticed = not run_tests(AREAS[fault.area], root, examples, limit)
    finally:
        path.write_text(original)
        copies.put(root)
    print("." if noticed else "S", end="", flush=True, file=sys.stderr)
    return noticed


def print_table(names: list[str], faults: list[Fault], survivors: list[Fault], seconds: float) -> None:
    """Print how many faults of each area were noticed."""
    tried, missed = (Counter(fault.area for fault in some) for some in (faults, survivors))
    print(f"\n{'area':<12}{'faults':>8}{'noticed':>9}{'score':>8}")
    for name in [*names, "all"]:
        total, lost = (len(faults), len(survivors)) if name == "all" else (tried[name], missed[name])
        if total:
            print(f"{name:<12}{total:>8}{total - lost:>9}{(total - lost) / total:>8.0%}")
    print(f"{seconds:,.0f} seconds, {seconds / max(len(faults), 1):.1f} a fault")


if __name__ == "__main__":
    main()
