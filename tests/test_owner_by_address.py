"""An owner by address: programs on any machine reach it, and open no database of their own."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import pytest
import requests
import typer
from fastapi import FastAPI
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from flows import owner
from livereview import settings as settings_module
from livereview.cli import app as commands
from livereview.client import NoAccess, OwnerAway, Remote, connect, wait_for_owner
from livereview.commands import LoseNight, ReadStatus
from livereview.door_version import DOOR_HEADER, DOOR_VERSION
from livereview.errors import Refused
from livereview.settings import Settings

OURS = {DOOR_HEADER: str(DOOR_VERSION)}


@dataclass
class Stranger:
    """Something that answers at an address, and what it was asked."""

    status: int = 401
    headers: dict[str, str] = field(default_factory=lambda: dict(OURS))
    body: bytes = b'{"error": "this token is not good any more"}'
    address: str = ""
    seen: list[tuple[str, dict[str, str]]] = field(default_factory=list)


@contextmanager
def served(stranger: Stranger) -> Iterator[Stranger]:
    class Handler(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            self.rfile.read(length)
            stranger.seen.append((self.path, dict(self.headers)))
            # an owner says to anybody that it lives
            lives = self.path == "/healthz" and DOOR_HEADER in stranger.headers
            self.send_response(200 if lives else stranger.status)
            for name, value in stranger.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(stranger.body)))
            self.end_headers()
            self.wfile.write(stranger.body)

        do_GET = do_POST = _reply  # noqa: N815  (the names that http.server calls)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    stranger.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield stranger
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with its words, those in groups too."""
    if not hasattr(command, "list_commands"):
        yield path, command
        return
    for name in command.list_commands(None):
        yield from leaves(command.get_command(None, name), (*path, name))


EVERY_COMMAND = list(leaves(typer.main.get_command(commands)))


NAMES = ("review", "by", "name", "reason", "record")
WORDS = dict.fromkeys(NAMES, "small-review") | {"version": "1"}  # all others are paths


def required(command: Any, file: Path) -> list[str]:
    """Something for each argument and option that a command wants."""
    words = []
    for parameter in command.params:
        if not parameter.required:
            continue
        value = WORDS.get(parameter.name, str(file))
        if parameter.param_type_name == "option":
            words.append(parameter.opts[0])
        words.append(value)
    return words


@pytest.mark.parametrize(
    ("path", "command"), EVERY_COMMAND, ids=[" ".join(path) for path, _ in EVERY_COMMAND]
)
def test_with_an_owner_elsewhere_no_command_opens_a_database_file(
    path: tuple[str, ...],
    command: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    protocol: str,
) -> None:
    opened: list[str] = []
    real = duckdb.connect

    def watched(database: str = ":memory:", *more: Any, **options: Any) -> Any:
        if str(database) != ":memory:":
            opened.append(str(database))
            raise AssertionError(f"opened {database}")
        return real(database, *more, **options)

    monkeypatch.setattr(duckdb, "connect", watched)
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "review.toml"
    file.write_text(protocol, encoding="utf-8")
    home = tmp_path / "home"
    with served(Stranger()) as stranger:
        monkeypatch.setenv("LIVEREVIEW_HOME", str(home))
        monkeypatch.setenv("LIVEREVIEW_OWNER", stranger.address)
        monkeypatch.setenv("LIVEREVIEW_OWNER_TOKEN", "lr_not-good")
        monkeypatch.setenv("LIVEREVIEW_SMTP", "smtp://127.0.0.1:1")
        monkeypatch.setenv("LIVEREVIEW_MAIL_FROM", "livereview@example.org")
        monkeypatch.setenv("LIVEREVIEW_URL", "https://review.example.org")
        monkeypatch.setenv("LIVEREVIEW_WEBHOOK_SECRET", "x" * 32)
        monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
        more = ["--review", "small-review"] if path == ("schedule",) else []
        done = CliRunner().invoke(commands, [*path, *required(command, file), *more])
    assert not opened
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert not list(tmp_path.rglob("*.duckdb"))
    asked = [at for at, _ in stranger.seen if at.startswith("/api/ops/")]
    if asked:
        assert done.exit_code == 2 and "does not take this token" in done.output


@pytest.mark.parametrize(
    ("stranger", "words"),
    [
        (Stranger(), "does not take this token: this token is not good any more"),
        (Stranger(404, {}, b"<h1>Not here</h1>"), "is no livereview owner"),
        (Stranger(200, {}, b"{}"), "is no livereview owner"),
        (Stranger(200, {DOOR_HEADER: "99"}, b"{}"), "the other 99; nothing was changed"),
        (
            Stranger(426, OURS, b'{"error": "two versions of livereview meet"}'),
            "two versions of livereview meet",
        ),
        (
            Stranger(301, {"location": "https://other.example/?key=x"}, b""),
            "sends programs on to https://other.example/;",
        ),
    ],
)
def test_what_waiting_does_not_mend_is_told_at_once(stranger: Stranger, words: str) -> None:
    with served(stranger), pytest.raises(NoAccess) as refused:
        Remote(stranger.address, "lr_secret", sleep=_never).run(ReadStatus())
    assert words in str(refused.value)
    assert "lr_secret" not in str(refused.value)


def test_an_owner_that_restarts_behind_its_proxy_is_waited_for() -> None:
    stranger = Stranger(502, {}, b"<h1>Bad gateway</h1>")
    pauses: list[float] = []

    def wait(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            stranger.status, stranger.headers, stranger.body = (
                200,
                dict(OURS),
                b'{"reviews": [], "service": []}',
            )

    with served(stranger):
        answer = Remote(stranger.address, "lr_secret", sleep=wait).run(ReadStatus())
    assert answer.reviews == [] and len(pauses) == 3


def test_an_owner_that_stays_away_is_told_with_the_reason() -> None:
    with served(Stranger(503, {}, b"")) as stranger, pytest.raises(OwnerAway) as away:
        Remote(stranger.address, "lr_secret", patience=2, sleep=lambda seconds: None).run(
            ReadStatus()
        )
    assert "its proxy answers 503" in str(away.value)


def test_a_certificate_of_nobody_known_is_told_and_not_waited_for(tmp_path: Path) -> None:
    """An http server that is spoken to in TLS fails as a wrong certificate does."""
    with served(Stranger()) as stranger:
        address = stranger.address.replace("http:", "https:")
        with pytest.raises(NoAccess, match="LIVEREVIEW_OWNER_CA"):
            Remote(address, "lr_secret", sleep=_never).run(ReadStatus())
        with pytest.raises(NoAccess, match="LIVEREVIEW_OWNER_CA"):
            Remote(address, "lr_secret", sleep=_never).answers()


def test_a_night_does_not_wait_for_an_address_that_is_no_owner(tmp_path: Path) -> None:
    with served(Stranger(404, {}, b"nothing here")) as stranger:
        chosen = remote_settings(tmp_path, stranger.address)
        with pytest.raises(NoAccess):
            wait_for_owner(chosen, sleep=_never)


def test_a_lost_night_is_kept_while_this_machine_is_not_let_in(tmp_path: Path) -> None:
    owner.keep(tmp_path, LoseNight(id="a", review="r", what="w", reason="no"))
    with served(Stranger()) as stranger, pytest.raises(NoAccess):
        owner.deliver(tmp_path, Remote(stranger.address, "lr_secret", sleep=_never))
    assert [path.name for path in (tmp_path / owner.UNDELIVERED).iterdir()] == ["a.json"]


def test_the_secret_comes_from_a_file_that_may_change(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    chosen = replace(
        remote_settings(tmp_path, "http://127.0.0.1:1"), secrets={}, owner_token_file=str(secret)
    )
    with pytest.raises(NoAccess, match="can't be read: No such file"):
        connect(chosen)
    secret.write_text("\n")
    with pytest.raises(NoAccess, match="the file is empty"):
        connect(chosen)
    secret.write_text("lr_first\n")
    assert _authorization(connect(chosen)) == "Bearer lr_first"
    secret.write_text("lr_second\n")
    assert _authorization(connect(chosen)) == "Bearer lr_second"


def test_the_own_secret_of_a_folder_goes_to_no_other_machine(tmp_path: Path) -> None:
    (tmp_path / "owner.token").write_text("its own\n")
    here = replace(remote_settings(tmp_path, "http://127.0.0.1:1"), secrets={})
    assert _authorization(connect(here)) == "Bearer its own"
    elsewhere = replace(here, owner="https://owner.example")
    with pytest.raises(NoAccess, match="LIVEREVIEW_OWNER_TOKEN"):
        connect(elsewhere)


def test_a_file_of_certificates_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="LIVEREVIEW_OWNER_CA"):
        settings_module.read({"LIVEREVIEW_OWNER_CA": str(tmp_path / "none.pem")})


def test_the_door_says_its_version_and_refuses_another(
    app: FastAPI, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    web = TestClient(app)
    answer = web.post("/api/ops/status")
    assert answer.status_code == 401 and answer.headers[DOOR_HEADER] == str(DOOR_VERSION)
    secret = {"Authorization": f"Bearer {app.state.shared.token}"}
    assert web.post("/api/ops/status", headers=secret).status_code == 200
    other = web.post("/api/ops/status", headers={**secret, DOOR_HEADER: "99"})
    assert other.status_code == 426
    assert "nothing was changed" in json.loads(other.text)["error"]


def remote_settings(home: Path, address: str) -> Settings:
    return Settings(home=home, secrets={"LIVEREVIEW_OWNER_TOKEN": "lr_secret"}, owner=address)


def _authorization(client: Any) -> str:
    session: requests.Session = client._session
    return str(session.headers["Authorization"])


def _never(seconds: float) -> None:
    raise AssertionError(f"waited {seconds} s for what waiting does not mend")
