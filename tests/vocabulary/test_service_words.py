"""Words have the same stems however many threads ask for them at once."""

import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import product

from core.vocabulary.service_words import stem

WORDS = [
    "".join(parts) for parts in product(("inject", "exam", "replac", "visit", "scop"), ("", "ed", "ings", "ation"))
]


def test_threads_do_not_share_a_stemmer() -> None:
    alone = [stem.__wrapped__(word) for word in WORDS]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: [stem.__wrapped__(word) for word in WORDS], range(64)))
    finally:
        sys.setswitchinterval(interval)
    assert all(each == alone for each in found)
