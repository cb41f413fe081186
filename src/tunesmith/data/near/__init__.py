"""Rows that say nearly the same: sketches, candidates, pairs, clusters."""
