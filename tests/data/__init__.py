"""Tests of reading, splitting, packing and caching data."""
