"""Tests of answers as labels."""
