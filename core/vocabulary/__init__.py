"""Plain words for services, payers, and places, and what the text of a search says. Knows no store and no SQL."""
