"""Pages about payers, plans, and providers."""
