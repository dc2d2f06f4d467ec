"""Loading on many machines."""
