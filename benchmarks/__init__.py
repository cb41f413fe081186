"""Training speed and memory beside the peers: `python -m benchmarks --help`."""
