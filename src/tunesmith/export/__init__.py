"""A tuned model leaves: written in a form others load, loaded again and compared, then shown."""
