"""Cleaning: the fixes that are safe, applied, and every one of them written down."""
