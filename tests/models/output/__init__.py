"""The output head."""
