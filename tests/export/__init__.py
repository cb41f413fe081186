"""Tests of `tunesmith.export`."""
