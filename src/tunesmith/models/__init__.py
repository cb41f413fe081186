"""Loading a model, scoring forests with it, and making it trainable."""
