"""Comparisons of an answer with its reference, one a file; see `contracts.Scorer`."""
