"""Upload an exported folder to the hub, as a private repository.

The token is that of `hf auth login` or HF_TOKEN; the server is HF_ENDPOINT's.
"""

from __future__ import annotations

import re
from pathlib import Path

from huggingface_hub import HfApi, get_token

# HTTPError is that of the HTTP client which this version of huggingface_hub uses.
from huggingface_hub.errors import HFValidationError, HTTPError  # type: ignore[attr-defined]

from tunesmith.errors import InputError

_REPOSITORY = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")


def require_ready(repository: str) -> None:
    """Fail before anything is computed where an upload cannot work.

    Raises:
        InputError: the name is not OWNER/NAME, or there is no token.
    """
    if not _REPOSITORY.fullmatch(repository):
        raise InputError(
            f"--push-to-hub {repository} is not the name of a repository",
            hint="write OWNER/NAME, your user or organisation first",
        )
    if get_token() is None:
        raise InputError(
            "there is no token for the hub",
            hint="log in with `hf auth login`, or set HF_TOKEN to a token that may write",
        )


def push(folder: Path, repository: str) -> str:
    """Upload a folder; the address of the repository, which is private where it is new.

    Raises:
        InputError: the hub cannot be reached, or refuses.
    """
    api = HfApi()
    try:
        url = api.create_repo(repository, repo_type="model", private=True, exist_ok=True)
        api.upload_folder(
            folder_path=folder,
            repo_id=repository,
            repo_type="model",
            commit_message="Upload the tuned model",
        )
    except (HTTPError, HFValidationError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise InputError(
            f"the upload to {repository} failed: {reason[0]}",
            hint=f"check the connection, HF_ENDPOINT and the token; the files are in {folder}",
        ) from error
    return str(url)
