"""The notes of a batch about texts that are not stored as published: shortened, or cleaned of control characters.

They count texts as they are read for the first time. A text of the grain that is too long is not shortened: its rows
are rejected, which counts them as well.
"""

from core.fields.texts.clean_text import CLEANED, SHORTENED

ALTERED_NOTES = {SHORTENED: "shortened_texts", CLEANED: "texts_with_control_characters"}
"""The notes, by the bit of what was done."""


def count_altered(done: int) -> dict[str, int]:
    """Return what to add to a batch's notes for a text, given what was done to it."""
    return {note: 1 for bit, note in ALTERED_NOTES.items() if done & bit}
