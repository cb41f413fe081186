"""The memory of every run: its directory, what happened in it, and the list of all runs."""

from __future__ import annotations

from tunesmith.runs.directory import Run, create_run, list_runs, open_run

__all__ = ["Run", "create_run", "list_runs", "open_run"]
