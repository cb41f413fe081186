"""Tests of bias in the data."""
