"""Telling whether the store's files are as they were written."""
