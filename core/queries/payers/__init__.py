"""Questions about payers: their files, health plans, and networks."""
