"""Tests of the audit's checks."""
