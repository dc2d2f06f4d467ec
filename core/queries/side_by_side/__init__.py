"""Questions that compare payers for a list of codes, line by line, whatever the codes have in common."""
