"""Find what a visitor means: codes, titles, and names."""
