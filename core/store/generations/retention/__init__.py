"""Which generations are kept, and how the others are deleted."""
