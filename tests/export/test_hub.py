"""Uploads, against a stand-in of the hub on this machine."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from huggingface_hub import constants

from tests.tiny_run import Shape
from tunesmith.errors import InputError
from tunesmith.export import hub
from tunesmith.export.stage import export


class Hub(ThreadingHTTPServer):
    """Takes every file as an ordinary one and remembers what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.created: list[dict[str, object]] = []
        self.tokens: set[str] = set()
        self.refuses = False

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Hub

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self._reply({"siblings": [], "sha": "0" * 40, "id": "me/tuned"})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.tokens.add(self.headers.get("Authorization", ""))
        if self.server.refuses:
            self._reply({"error": "You have no right to do that"}, status=403)
        elif self.path == "/api/repos/create":
            self.server.created.append(json.loads(body))
            self._reply({"url": f"{self.server.address}/me/tuned", "name": "me/tuned"})
        elif self.path == "/api/validate-yaml":
            self._reply({"errors": [], "warnings": []})
        elif "/preupload/" in self.path:
            files = [
                {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False}
                for file in json.loads(body)["files"]
            ]
            self._reply({"files": files})
        elif re.search("/commit/", self.path):
            for line in body.splitlines():
                entry = json.loads(line)
                if entry["key"] == "file":
                    content = base64.b64decode(entry["value"]["content"])
                    self.server.files[entry["value"]["path"]] = content
            self._reply(
                {
                    "success": True,
                    "commitOid": "1" * 40,
                    "commitUrl": f"{self.server.address}/me/tuned/commit/{'1' * 40}",
                }
            )
        else:
            self._reply({}, status=404)

    def _reply(self, value: dict[str, object], status: int = 200) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    hub_server = Hub()
    thread = Thread(target=hub_server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setattr(constants, "ENDPOINT", hub_server.address)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    yield hub_server
    hub_server.shutdown()
    thread.join()
    hub_server.server_close()


def test_an_export_is_uploaded_whole_and_private(
    make_run: Callable[[Shape], Path], tmp_path: Path, server: Hub
) -> None:
    run = make_run(Shape())
    done = export(run, "adapter", tmp_path / "out", "me/tuned")
    assert done.url == f"{server.address}/me/tuned"
    asked = server.created[0]
    assert asked.get("visibility") == "private" or asked.get("private") is True
    assert server.tokens == {"Bearer hf_secret"}
    written = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert {name: server.files[name] for name in written} == written


def test_a_refusal_keeps_the_written_folder(
    make_run: Callable[[Shape], Path], tmp_path: Path, server: Hub
) -> None:
    server.refuses = True
    run = make_run(Shape())
    with pytest.raises(InputError, match="the upload to me/tuned failed"):
        export(run, "adapter", tmp_path / "out", "me/tuned")
    assert (tmp_path / "out" / "adapter_config.json").exists()


def test_a_hub_that_does_not_answer(
    tmp_path: Path, server: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    (tmp_path / "file").write_text("text")
    with pytest.raises(InputError, match="the upload to me/tuned failed"):
        hub.push(tmp_path, "me/tuned")


@pytest.mark.parametrize("name", ["tuned", "me/", "/tuned", "a/b/c", "me/tu ned", "../x/y"])
def test_a_bad_name_is_refused_before_anything_is_computed(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with pytest.raises(InputError, match="OWNER/NAME"):
        export(tmp_path / "no run at all", "adapter", tmp_path / "out", name)


def test_without_a_token_nothing_is_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "get_token", lambda: None)
    with pytest.raises(InputError, match="no token") as caught:
        export(tmp_path / "no run at all", "adapter", tmp_path / "out", "me/tuned")
    assert "hf auth login" in caught.value.hint
    assert not (tmp_path / "out").exists()
