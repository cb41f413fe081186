"""What a run was made with: the content of `environment.json`.

{"tunesmith": "0.1.0", "python": "3.11.7", "packages": {"torch": "2.13.0"}, "git": null}
"""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tunesmith.contracts import Hardware, JsonObject

PACKAGES = (
    "torch",
    "transformers",
    "peft",
    "safetensors",
    "tokenizers",
    "numpy",
    "pydantic",
    "pyarrow",
    "bitsandbytes",
)


def describe_environment(hardware: Hardware, *, seed: int) -> JsonObject:
    """Versions, device and the git commit of the working folder, where it is one."""
    packages: JsonObject = {name: installed_version(name) for name in PACKAGES}
    return {
        "tunesmith": installed_version("tunesmith"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "packages": packages,
        "git": _git_commit(Path.cwd()),
        **asdict(hardware),
        "seed": seed,
    }


def installed_version(package: str) -> str | None:
    """The version of an installed package, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git_commit(folder: Path) -> str | None:
    """The commit that is checked out around `folder`; None outside git or without git."""
    command = ["git", "-C", str(folder), "rev-parse", "HEAD"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=5, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() or None if answer.returncode == 0 else None
