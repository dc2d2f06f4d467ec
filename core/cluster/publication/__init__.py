"""What is published: the log, the catalog and generations that follow it, and what rewrites published files."""
