"""Known defects in real rows: what the audit finds of them, what it misses, what it invents."""
