"""Tests of every row format."""
