"""One file an audit check; see `data/audit/contracts.py`."""
