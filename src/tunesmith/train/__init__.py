"""Changing the weights: one loop, its checkpoints, and what watches over it."""
