"""What was gained and what was lost: base against tuned, with intervals."""
