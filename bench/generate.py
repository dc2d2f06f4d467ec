"""Write made-up in-network files of any size and several shapes, for measuring.

    python -m bench.generate SHAPE MEGABYTES FILE.json.gz [--groups N]

Shapes: `referenced` (each rate names about ten provider groups), `late` (the same, with groups defined after
in_network), `inline` (groups written out at each rate, NPIs as text, as Evry Health does), `giant` (one item on one
line) and `tiny` (items of one rate each). The same arguments produce the same bytes. A rate takes about 440 bytes of
JSON, as in real files.
"""

import argparse
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from isal import igzip

SHAPES = ("referenced", "late", "inline", "giant", "tiny")
RATES_PER_ITEM = 460
ROWS_PER_CHUNK = 2_000

_MODIFIERS = ("[]", "[]", "[]", "[]", '["26"]', '["TC"]', '["50"]')
_EVERYWHERE = (
    '["01","02","03","04","05","06","07","08","09","10","11","12","13","14","15","16","17","18","19","20","21","22",'
    '"23","24","25","26","31","32","33","34","41","42","49","50","51","52","53","54","55","56","57","58","60","61",'
    '"62","65","66","71","72","81","99"]'
)
_PLACES = ('["11","22"]', '["21","22","23","24"]', _EVERYWHERE, _EVERYWHERE, '["CSTM-00"]', _EVERYWHERE)
_CLASSES = ("professional", "professional", "institutional")
_TYPES = ("negotiated", "negotiated", "fee schedule", "negotiated", "percentage")


class Maker:
    """The maker of one file's text, piece by piece."""

    def __init__(self, shape: str, size: int, groups: int, payer: str, month: str) -> None:
        self._random = random.Random(f"{shape} {size} {groups} {payer} {month}")
        self._payer = payer
        self._month = month
        self._shape = shape
        self._size = size
        self._groups = groups
        self._terms = [
            f'"negotiated_type":"{kind}","expiration_date":"{expires}","billing_class":"{klass}",'
            f'"service_code":{places},"billing_code_modifier":{modifier},"additional_information":""'
            for kind in _TYPES
            for expires in ("9999-12-31", "2026-12-31", "2027-06-30")
            for klass in _CLASSES
            for places in _PLACES
            for modifier in _MODIFIERS
        ]
        self._lists = [self._reference_list() for _ in range(60_000)] if shape != "inline" else []
        self._objects = [self._inline_group() for _ in range(20_000)] if shape == "inline" else []
        self._inline = [self._inline_groups() for _ in range(3_000)] if shape == "inline" else []

    def pieces(self) -> Iterator[str]:
        """Yield the text."""
        yield (
            f'{{"reporting_entity_name":"{self._payer}","reporting_entity_type":"health insurance issuer",'
            f'"last_updated_on":"{self._month}-01","version":"1.3.1",'
        )
        if self._shape not in {"late", "inline"}:
            yield from self._definitions()
            yield ","
        yield '"in_network":['
        yield from {"tiny": self._tiny_items, "giant": self._giant_item}.get(self._shape, self._items)()
        yield "]"
        if self._shape == "late":
            yield ","
            yield from self._definitions()
        yield "}\n"

    # --- provider groups --------------------------------------------------------------------------------------

    def _definitions(self) -> Iterator[str]:
        yield '"provider_references":['
        for first in range(0, self._groups, 1000):
            some = range(first, min(first + 1000, self._groups))
            yield ("," if first else "") + ",".join(
                f'{{"provider_group_id":{group},"provider_groups":{self._members()}}}' for group in some
            )
        yield "]"

    def _npi(self) -> int:
        return self._random.randrange(1_000_000_000, 1_900_000_000, 97)

    def _members(self) -> str:
        chance = self._random
        npis = ",".join(str(self._npi()) for _ in range(1 + chance.getrandbits(3)))
        return f'[{{"npi":[{npis}],"tin":{{"type":"ein","value":"{chance.randrange(10**9):09}"}}}}]'

    def _reference_list(self) -> str:
        count = 1 + int(self._random.expovariate(1 / 9.2))
        return ",".join(str(self._random.randrange(self._groups)) for _ in range(count))

    def _inline_group(self) -> str:
        chance = self._random
        npis = ",".join(f'"{self._npi()}"' for _ in range(1 + int(chance.expovariate(1 / 2))))
        return f'{{"npi":[{npis}],"tin":{{"type":"npi","value":"{self._npi()}"}}}}'

    def _inline_groups(self) -> str:
        """Return about ten objects, one in ten of which occurs for the first time, as in Evry's files."""
        chance = self._random
        count = 1 + int(chance.expovariate(1 / 9))
        return ",".join(
            self._inline_group() if chance.random() < 0.1 else chance.choice(self._objects) for _ in range(count)
        )

    # --- items ------------------------------------------------------------------------------------------------

    def _head(self, number: int) -> str:
        code = 10_000 + number % 89_999
        return (
            f'"negotiation_arrangement":"ffs","name":"Service {code}","billing_code_type":"CPT",'
            f'"billing_code_type_version":"2025","billing_code":"{code}","description":"Service {code} in words",'
        )

    def _rates(self, count: int) -> str:
        chance, terms = self._random, self._terms
        if self._shape == "inline":
            # Half of the arrays appear for the first time, as in Evry's files.
            fresh = [
                self._inline_groups() if chance.random() < 0.5 else chance.choice(self._inline) for _ in range(count)
            ]
            heads = [f'{{"provider_groups":[{groups}]' for groups in fresh]
        else:
            heads = [f'{{"provider_references":[{groups}]' for groups in chance.choices(self._lists, k=count)]
        prices = chance.choices(terms, k=count)
        cents = [chance.randrange(100, 500_000) for _ in range(count)]
        return ",".join(
            f'{head},"negotiated_prices":[{{"negotiated_rate":{cent / 100},{price}}}]}}'
            for head, price, cent in zip(heads, prices, cents, strict=True)
        )

    def _items(self) -> Iterator[str]:
        written, number = 0, 0
        rates = RATES_PER_ITEM if self._shape != "inline" else 8
        while written < self._size:
            text = f'{{{self._head(number)}"negotiated_rates":[{self._rates(rates)}]}}'
            yield ("," if number else "") + text
            written += len(text)
            number += 1

    def _tiny_items(self) -> Iterator[str]:
        written, number = 0, 0
        while written < self._size:
            items = [f'{{{self._head(n)}"negotiated_rates":[{self._rates(1)}]}}' for n in range(number, number + 500)]
            text = ",".join(items)
            yield ("," if number else "") + text
            written += len(text)
            number += 500

    def _giant_item(self) -> Iterator[str]:
        written = 0
        yield f'{{{self._head(0)}"negotiated_rates":['
        while written < self._size:
            text = self._rates(ROWS_PER_CHUNK)
            yield ("," if written else "") + text
            written += len(text)
        yield "]}"


def generate(
    shape: str,
    megabytes: float,
    path: Path,
    groups: int = 20_000,
    payer: str = "Bench Health Plan",
    month: str = "2025-08",
) -> None:
    """Write a file with about that many megabytes of in_network JSON, gzipped if its name ends in .gz."""
    maker = Maker(shape, int(megabytes * 1e6), groups, payer, month)
    path.parent.mkdir(parents=True, exist_ok=True)
    with igzip.open(path, "wb", compresslevel=1) if path.suffix == ".gz" else path.open("wb") as file:  # type: ignore[no-untyped-call]
        held: list[str] = []
        size = 0
        for piece in maker.pieces():
            held.append(piece)
            size += len(piece)
            if size > 1 << 22:
                file.write("".join(held).encode())
                held, size = [], 0
        file.write("".join(held).encode())


def main() -> None:
    """Write the file that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("megabytes", type=float)
    parser.add_argument("file", type=Path)
    parser.add_argument("--groups", type=int, default=20_000, help="provider groups defined (default: 20,000)")
    options = parser.parse_args()
    started = time.monotonic()
    generate(options.shape, options.megabytes, options.file, options.groups)
    print(
        f"{options.file}: {options.file.stat().st_size:,} bytes in {time.monotonic() - started:.1f} s", file=sys.stderr
    )


if __name__ == "__main__":
    main()
