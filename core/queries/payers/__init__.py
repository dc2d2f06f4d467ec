"""Questions about payers: compared with one another, their files, health plans, and networks."""
