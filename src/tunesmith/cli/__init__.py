"""The command line: one file a verb; `main` finds it, runs it and turns errors into exit codes."""
