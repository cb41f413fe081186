"""Tests of models: against plain Transformers and PEFT."""
