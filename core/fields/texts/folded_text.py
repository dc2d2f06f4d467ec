"""Text without what people type differently: case and accents."""

import unicodedata


def fold_case_and_accents(text: str) -> str:
    """Return a text in lower case without accents: JOSÉ is jose."""
    plain = unicodedata.normalize("NFD", text.lower())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))
