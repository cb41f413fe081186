"""One file a file type; each offers `rows(path, notice)` and yields RawRow one at a time."""
