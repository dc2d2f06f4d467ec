"""Payers' names of codes written out: LAT RETINACULAR RELEASE OPEN as Lateral retinacular release open."""

import re
import tomllib
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("title_words.toml")

_ACRONYMS = {
    "CT", "CTA", "MRI", "MRA", "PET", "EKG", "ECG", "EEG", "EMG", "EGD", "IV", "DNA", "RNA", "HIV", "HPV", "TB", "ICU",
    "US", "CABG", "MIPS", "PICC", "COVID",
}  # fmt: skip

_SIGNS = (
    (re.compile(r"\bI&R\b", re.IGNORECASE), "interpretation and report"),
    (re.compile(r"\bS&I\b", re.IGNORECASE), "supervision and interpretation"),
    (re.compile(r"\bI&D\b", re.IGNORECASE), "incision and drainage"),
    (re.compile(r"\bF/U\b", re.IGNORECASE), "follow-up"),
    (re.compile(r"\bW/O\b\s*", re.IGNORECASE), "without "),
    (re.compile(r"\bW/\s*", re.IGNORECASE), "with "),
    (re.compile(r"\s*&/\s*"), " and/or "),
    (re.compile(r"(?<=[A-Za-z])&(?=[A-Za-z]{3})|\s+&\s+"), " and "),
)
"""Signs that join words, and what they stand for. Longer ones are first."""

_WORD = re.compile(r"[A-Za-z0-9]+")


@cache
def _written_out() -> tuple[dict[str, str], dict[str, str]]:
    """Return what is written out in any name, and what is in a name in capitals."""
    read = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return read["always"], read["always"] | read["in_capitals"]


def write_out(name: str) -> str:
    """Return a payer's name of a code with its short forms written out, in lower case if it is in capitals.

    What is not known to be short stays as it is: nothing is guessed.
    """
    always, in_capitals = _written_out()
    capitals = name.isupper()
    for sign, words in _SIGNS:
        name = sign.sub(words if not capitals else words.upper(), name)
    known = in_capitals if capitals else always

    def write_word(word: re.Match[str]) -> str:
        text = word[0]
        if found := known.get(text.upper()):
            return found
        return text.lower() if capitals and text not in _ACRONYMS else text

    said = " ".join(_WORD.sub(write_word, name).split())
    return said[:1].upper() + said[1:]
