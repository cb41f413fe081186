"""Tests of tokenizers, templates and the loss mask."""
