"""Tests of how much, how long, how varied and how odd data is."""
