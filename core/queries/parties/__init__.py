"""Questions about those whom rates are between: payers with their plans and networks, and providers."""
