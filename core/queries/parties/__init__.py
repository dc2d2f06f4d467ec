"""Questions about those who are paid: providers, their groups, tax IDs, and organizations."""
