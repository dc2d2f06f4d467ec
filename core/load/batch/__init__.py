"""What is recorded of a loaded file: its batch, where it came from, and what was rejected or altered."""
