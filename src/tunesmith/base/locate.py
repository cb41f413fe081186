"""Find a base model: a local folder, one that ships, or one of the hub.

    locate_base("bundled:starter")                       what ships with the package
    locate_base("./models/my-model")                     a folder
    locate_base("HuggingFaceTB/SmolLM2-135M")            the hub, pinned to a commit

Every file that will be read is checked before any is loaded.
"""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from tunesmith.base.config import check_shapes, context_of, read_config
from tunesmith.base.content import digest_of
from tunesmith.base.weights import check_index, find_weights, read_header
from tunesmith.bundled import PREFIX, STARTER, bundled_path, is_bundled
from tunesmith.contracts import JsonObject
from tunesmith.errors import ModelError

_HUB_FILES = ["*.json", "*.safetensors", "*.jinja", "*.model", "merges.txt", "vocab.txt"]
_READ = ("*.json", "*.safetensors", "*.jinja", "*.model", "*.txt")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[A-Za-z0-9][\w.-]{0,95})?")
_IN_A_LAYER = re.compile(r"\.\d+\.(.+)")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseFolder:
    """A checked model folder."""

    name: str
    """The hub's id, or the folder's absolute path: what others load the base by."""
    path: Path
    revision: str | None
    """The commit, for models of the hub."""
    config: JsonObject
    weight_files: tuple[Path, ...]
    parameters: int
    """Numbers in the weight files."""
    vocabulary: int
    """Rows of the input embedding; token ids must be below this."""
    digest: str
    """sha256 of the configuration and of the weight files' headers and sizes."""
    context: int | None
    """Tokens that the model was made for, if it says so."""
    layer_weights: frozenset[str]
    """Names of the weights within its layers, as `self_attn.q_proj.weight`."""

    def content_digest(self) -> str:
        """Of the configuration and of every byte of the weights (reads all of them)."""
        return digest_of((self.path / "config.json").read_bytes(), self.weight_files)


def locate_base(path: str, revision: str | None = None) -> BaseFolder:
    """Find and check a base.

    Args:
        path: a folder, `bundled:NAME` (or `starter`), or an id of the hub.
        revision: a branch, tag or commit of the hub.

    Raises:
        ModelError: there is no such model, or its files are missing, damaged or unsafe.
    """
    folder, name, commit = _find(path, revision)
    _refuse_adapter(folder)
    _refuse_outside(folder)
    config = read_config(folder)
    files = tuple(read_header(file) for file in find_weights(folder))
    check_index(folder, files)
    shapes = {name: shape for file in files for name, shape in file.shapes.items()}
    parameters = sum(math.prod(shape) for shape in shapes.values())
    digest = hashlib.sha256((folder / "config.json").read_bytes())
    for file in files:
        digest.update(f"{file.path.name} {file.path.stat().st_size}\n".encode())
        digest.update(file.header)
    return BaseFolder(
        name=name,
        path=folder,
        revision=commit,
        config=config,
        weight_files=tuple(file.path for file in files),
        parameters=parameters,
        vocabulary=check_shapes(folder, config, shapes, parameters),
        digest=digest.hexdigest(),
        context=context_of(config),
        layer_weights=frozenset(
            found[1] for found in map(_IN_A_LAYER.search, shapes) if found is not None
        ),
    )


def _find(path: str, revision: str | None) -> tuple[Path, str, str | None]:
    """The folder, the name that others load it by, and the commit."""
    if not path or "\0" in path or len(path) > 4096:
        raise ModelError("base.path is not a path", hint="give a folder or a model id of the hub")
    folder = Path(path).expanduser()
    if path == STARTER:
        path = f"{PREFIX}{STARTER}"
    if is_bundled(path):
        shipped = bundled_path(path)
        return shipped, str(shipped), None
    if folder.is_dir():
        if revision is not None:
            raise ModelError(
                f"base.revision is {revision}, but {path} is a folder",
                hint="leave base.revision out: revisions are the hub's",
            )
        return folder.resolve(), str(folder.resolve()), None
    if folder.exists():
        raise ModelError(
            f"{path} is a file", hint="give the folder that holds config.json and the weights"
        )
    if not _HUB_ID.fullmatch(path):
        raise ModelError(
            f"there is no folder {path}",
            hint="give a model folder, bundled:starter, or an id of the hub such as owner/name",
        )
    found = _download(path, revision)
    commit = found.name if _COMMIT.fullmatch(found.name) else None
    return found, path, commit


def _download(name: str, revision: str | None) -> Path:
    """A snapshot of the hub (or of its cache, offline); never a pickle, never code."""
    try:
        return Path(
            snapshot_download(
                name,
                revision=revision,
                allow_patterns=_HUB_FILES,
                ignore_patterns=["*/*", "consolidated*"],
            )
        )
    except GatedRepoError as error:
        raise ModelError(
            f"{name} is gated",
            hint=f"accept its terms on its page on the hub, then log in: hf auth login ({name})",
        ) from error
    except RepositoryNotFoundError as error:
        raise ModelError(
            f"there is neither a folder nor a model of the hub called {name}",
            hint="check the name; private models need `hf auth login`",
        ) from error
    except RevisionNotFoundError as error:
        raise ModelError(
            f"{name} has no revision {revision}", hint="give a branch, a tag or a commit"
        ) from error
    except (LocalEntryNotFoundError, EntryNotFoundError) as error:
        raise ModelError(
            f"there is no folder {name}, and the hub cannot be reached",
            hint="check the connection, HF_ENDPOINT and HF_HUB_OFFLINE, or give a folder",
        ) from error
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise ModelError(
            f"{name} cannot be downloaded: {error}".splitlines()[0],
            hint="check the connection and the free disk space, or give a folder",
        ) from error


def _refuse_adapter(folder: Path) -> None:
    if not (folder / "adapter_config.json").exists():
        return
    if (folder / "config.json").exists():
        raise ModelError(
            f"{folder} holds a model and an adapter",
            hint="move adapter_config.json and adapter_model.safetensors to a folder of their own",
        )
    raise ModelError(
        f"{folder} is an adapter, not a model",
        hint="give its base as base.path and this folder as base.adapter",
    )


def _refuse_outside(folder: Path) -> None:
    """Links out of the folder could make it read any file; the hub's cache links to blobs."""
    home = folder.resolve()
    allowed = [home]
    if home.parent.name == "snapshots":
        allowed.append(home.parent.parent / "blobs")
    for pattern in _READ:
        for file in folder.glob(pattern):
            target = file.resolve()
            if not any(target.is_relative_to(place) for place in allowed):
                raise ModelError(
                    f"{file} is a link out of the folder",
                    hint="put the file itself there, if it belongs to the model",
                )
            if not target.is_file():
                raise ModelError(
                    f"{file} is not a file", hint="download the model again: a file is missing"
                )
