"""Ways of computing the output head."""
