"""Runs experiments: which there are, one arm after another, the verdict, the record, and comparisons of records."""
