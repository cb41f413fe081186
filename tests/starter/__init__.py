"""Tests of the scripts under starter/."""
