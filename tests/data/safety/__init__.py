"""Tests of what is looked for in texts that would make a model less safe."""
