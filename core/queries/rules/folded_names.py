"""Names without what people type differently: case, accents, apostrophes, hyphens, and blanks within a name.

`fold_name` and `folded_sql` return the same text for every letter that US registers contain.
"""

import re
from collections.abc import Sequence

from core.fields.texts.folded_text import fold_case_and_accents

_REMOVED = "'’‘`´."
"""Marks within a word: O'BRIEN is obrien."""
_SPACES = "-‐‑–/,&"
"""Marks between words: GARCIA-LOPEZ is garcia lopez."""

_TABLE = str.maketrans(_SPACES, " " * len(_SPACES), _REMOVED)
_LONGEST_SPLIT_WORD = 30
"""The longest word that is also looked for with blanks within it. Names have no longer ones."""


def fold_name(name: str) -> str:
    """Return a name in lower case without accents and marks: JOSÉ O'BRIEN is jose obrien."""
    return fold_case_and_accents(name.translate(_TABLE))


def folded_sql(column: str) -> str:
    """Return SQL of `fold_name` of a column."""
    marks = (_SPACES + _REMOVED).replace("'", "''")
    return f"strip_accents(lower(translate({column}, '{marks}', '{' ' * len(_SPACES)}')))"


def contains_words(text: str, column: str, joined: str = "") -> tuple[dict[str, str], str]:
    """Return the words of a text as parameters, and the condition that a column contains each of them.

    The column is one of `folded_sql`, and `joined` SQL of the same without blanks, if a column has it. A word is also
    found with blanks within it if it begins where a word of the name begins: "obrien" is in "O'BRIEN" and in "O BRIEN".
    There are no words if every one has one letter: these are in nearly every name.
    """
    words = [folded for word in text.split() if (folded := fold_name(word).replace(" ", ""))]
    if not any(len(word) > 1 for word in words):
        return {}, "false"
    parameters: dict[str, str] = {}
    conditions = []
    joined = joined or f"replace({column}, ' ', '')"
    for number, word in enumerate(words):
        name, split = f"word{number}", f"split{number}"
        parameters[name] = word
        condition = f"contains({column}, ${name})"
        if 1 < len(word) <= _LONGEST_SPLIT_WORD:
            parameters[split] = r"(^| )" + " ?".join(re.escape(letter) for letter in word)
            # The regular expression is slow, so it is tried only on names that have the letters.
            condition = f"(contains({joined}, ${name}) AND ({condition} OR regexp_matches({column}, ${split})))"
        conditions.append(condition)
    return parameters, " AND ".join(conditions)


def has_words(folded: str, words: Sequence[str]) -> bool:
    """Return whether a folded name has each of some folded words, as the condition of `contains_words` says."""
    joined = folded.replace(" ", "")
    return all(word in joined and (word in folded or _is_split(word, folded)) for word in words)


def _is_split(word: str, folded: str) -> bool:
    split = r"(^| )" + " ?".join(re.escape(letter) for letter in word)
    return 1 < len(word) <= _LONGEST_SPLIT_WORD and re.search(split, folded) is not None
