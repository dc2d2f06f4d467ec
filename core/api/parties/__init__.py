"""Resources about payers, plans, and providers."""
