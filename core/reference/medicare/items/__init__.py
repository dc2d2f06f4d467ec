"""What is paid for items and tests: laboratory tests, drugs, equipment, and nutrition."""
