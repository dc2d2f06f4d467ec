"""Classes of rates, as a question is about one at a time, and how many rates each has."""
