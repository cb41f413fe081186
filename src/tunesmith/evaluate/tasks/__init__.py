"""Evaluations, one a file; see `contracts.Task`."""
