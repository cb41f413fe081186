"""Tests of finding and checking base models."""
