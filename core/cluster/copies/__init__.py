"""Local copies of chosen states."""
