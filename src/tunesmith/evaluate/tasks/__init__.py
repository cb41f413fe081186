"""Evaluations, one a file; see `evaluate.contracts.Task`."""
