"""The rule behind a payer's professional rates: a multiple of a Medicare year, locality, and kind of service."""
