"""What the machine is: devices, memory within control groups, and the precision."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
import torch

from tunesmith import hardware
from tunesmith.contracts import Hardware
from tunesmith.errors import RecipeError


def machine(device: Literal["cpu", "cuda"], *, fast_bf16: bool) -> Hardware:
    return Hardware(
        device=device,
        name="X1",
        memory_bytes=2**30,
        main_memory_bytes=2**30,
        threads=2,
        fast_bf16=fast_bf16,
    )


def test_this_machine() -> None:
    found = hardware.detect("cpu")
    assert found.device == "cpu"
    assert found.name
    assert 2**26 < found.memory_bytes < 2**50
    assert 1 <= found.threads <= 10_000


def test_mps_is_not_supported_yet() -> None:
    with pytest.raises(RecipeError, match="mps is not supported") as caught:
        hardware.detect("mps")
    assert "cpu" in caught.value.hint


def test_cuda_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RecipeError, match="sees no CUDA device") as caught:
        hardware.detect("cuda")
    assert "auto" in caught.value.hint
    assert hardware.detect("auto").device == "cpu"


@pytest.mark.parametrize(
    ("requested", "device", "fast", "parameters", "expected"),
    [
        ("auto", "cuda", True, 10**6, "bf16"),
        ("auto", "cuda", False, 10**9, "fp32"),
        ("auto", "cpu", False, 10**9, "fp32"),
        ("auto", "cpu", True, 10**6, "fp32"),
        ("auto", "cpu", True, 10**9, "bf16"),
        ("fp32", "cuda", True, 10**9, "fp32"),
        ("bf16", "cpu", False, 10**6, "bf16"),
        ("bf16", "cpu", True, 10**6, "bf16"),
    ],
)
def test_the_precision(
    requested: Literal["auto", "fp32", "bf16"],
    device: Literal["cpu", "cuda"],
    fast: bool,  # noqa: FBT001
    parameters: int,
    expected: str,
) -> None:
    precision, reason = hardware.choose_precision(
        requested, machine(device, fast_bf16=fast), parameters
    )
    assert precision == expected
    assert reason


def test_slow_bf16_is_said() -> None:
    _, reason = hardware.choose_precision("bf16", machine("cpu", fast_bf16=False))
    assert "slower" in reason


def test_bf16_on_a_gpu_without_it() -> None:
    with pytest.raises(RecipeError, match="X1 has no bf16"):
        hardware.choose_precision("bf16", machine("cuda", fast_bf16=False))


def group(
    root: Path, path: str, limit: str, used: str, cache: str = "", *, version: int = 2
) -> None:
    folder = root / path
    folder.mkdir(parents=True, exist_ok=True)
    names = ("memory.max", "memory.current")
    if version == 1:
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes")
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{used}\n")
    (folder / "memory.stat").write_text(cache)


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with 8 GiB free, whose control groups the test writes."""
    files = {"/proc/meminfo": "MemTotal: 1 kB\nMemAvailable:    8388608 kB\n"}
    own = tmp_path / "cgroup"
    real = hardware._lines

    def lines(path: Path) -> list[str]:
        if str(path) == "/proc/self/cgroup":
            return real(own)
        return files[str(path)].splitlines() if str(path) in files else real(path)

    monkeypatch.setattr(hardware, "_lines", lines)
    monkeypatch.setattr(hardware, "_GROUPS", tmp_path / "groups")
    (tmp_path / "groups").mkdir()
    return tmp_path


def test_without_control_groups(groups: Path) -> None:
    assert hardware._free_memory() == 8 * 2**30


def test_the_tightest_group_decides(groups: Path) -> None:
    (groups / "cgroup").write_text("0::/a/b\n")
    group(groups / "groups", "a", "3000", "1000", "anon 1\ninactive_file 200\n")
    group(groups / "groups", "a/b", "max", "1000")
    assert hardware._free_memory() == 3000 - 1000 + 200


def test_a_container_that_sees_its_own_root(groups: Path) -> None:
    (groups / "cgroup").write_text("0::/not/visible/here\n")
    group(groups / "groups", ".", "5000", "4000")
    assert hardware._free_memory() == 1000


def test_the_first_version_of_control_groups(groups: Path) -> None:
    (groups / "cgroup").write_text("5:cpu,cpuacct:/x\n3:memory:/x\n")
    group(groups / "groups" / "memory", "x", "7000", "2000", "total_inactive_file 10\n", version=1)
    assert hardware._free_memory() == 5010


def test_a_group_over_its_limit_leaves_nothing(groups: Path) -> None:
    (groups / "cgroup").write_text("0::/\n")
    group(groups / "groups", ".", "1000", "2000")
    assert hardware._free_memory() == 0
