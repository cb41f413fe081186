"""The output head: what a model's head is, the way it is computed, and how a way is chosen."""
