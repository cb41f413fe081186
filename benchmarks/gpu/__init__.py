"""What waits for a GPU, in one call: `python benchmarks/gpu/run.py --out DIR`."""
