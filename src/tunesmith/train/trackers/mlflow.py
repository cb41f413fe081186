"""MLflow; MLFLOW_TRACKING_URI and MLFLOW_EXPERIMENT_NAME are respected, telemetry is off."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.contracts import Json, JsonObject
from tunesmith.errors import RecipeError

if TYPE_CHECKING:
    from mlflow import MlflowClient

_LONGEST_PARAMETER = 500


class _Tracker:
    def __init__(self, client: MlflowClient, run: str) -> None:
        self._client = client
        self._run = run

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """The values at this step."""
        for name, value in values.items():
            self._client.log_metric(self._run, name, value, step=step)

    def close(self) -> None:
        """Mark the MLflow run as finished."""
        self._client.set_terminated(self._run)


def start(name: str, folder: Path, recipe: JsonObject) -> _Tracker:
    """Open the MLflow run that belongs to `folder`, new or to be continued.

    Raises:
        RecipeError: mlflow is not installed.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:  # here: an optional package, wanted by name
        from mlflow import MlflowClient
    except ImportError as error:
        raise RecipeError(
            "train.report_to mlflow needs the package mlflow-skinny or mlflow",
            hint='pip install "tunesmith[mlflow]"',
        ) from error
    client = MlflowClient()
    note = folder / "run_id"
    if note.exists():
        return _Tracker(client, note.read_text())
    experiment = os.environ.get("MLFLOW_EXPERIMENT_NAME", "tunesmith")
    known = client.get_experiment_by_name(experiment)
    number = client.create_experiment(experiment) if known is None else known.experiment_id
    run = client.create_run(number, run_name=name).info.run_id
    for key, value in _flat(recipe, ""):
        client.log_param(run, key, str(value)[:_LONGEST_PARAMETER])
    note.write_text(run)
    return _Tracker(client, run)


def _flat(value: Json, key: str) -> Iterator[tuple[str, Json]]:
    """`{"train": {"steps": 3}}` as `("train.steps", 3)`."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(inner, f"{key}.{name}" if key else name)
    else:
        yield key, value
