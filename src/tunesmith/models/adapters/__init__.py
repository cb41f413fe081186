"""Ways of being trainable, one file each: the file name is the adapter's name in recipes."""
