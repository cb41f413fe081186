"""One file a row format; the file name is the format's name in recipes."""
