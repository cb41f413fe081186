"""Tests of the script that trains the classifier of harmful requests."""
