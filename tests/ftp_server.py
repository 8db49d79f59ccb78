"""A small FTP server in this process: a real second protocol to keep backups at."""

from __future__ import annotations

import os
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import gmtime, strftime


class Session(socketserver.StreamRequestHandler):
    """One connection: as much of RFC 959 and RFC 3659 as ftplib asks for, in one folder, one user."""

    disable_nagle_algorithm = True  # else each second answer waits 40 ms for the client's receipt

    def __init__(self, root: Path, *connection: object):
        self.root, self.here, self.door, self.source = root, "/", None, ""
        self.offset = 0
        super().__init__(*connection)  # type: ignore[arg-type]

    def handle(self) -> None:
        self.say("220 ready")
        while line := self.rfile.readline().decode().strip():
            command, _, rest = line.partition(" ")
            answer = getattr(self, f"do_{command.upper()}", None)
            if answer is None:
                self.say(f"502 not here: {command}")
                continue
            try:
                answer(rest)
            except FileNotFoundError:
                self.say("550 no such file")
            except OSError as error:
                self.say(f"550 {error.strerror}")
            if command.upper() == "QUIT":
                return

    def finish(self) -> None:
        self.finish_door()
        super().finish()

    def finish_door(self) -> None:
        """A door that a refused command left open."""
        if self.door:
            self.door.close()

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def path(self, name: str) -> Path:
        full = os.path.normpath(name if name.startswith("/") else f"{self.here}/{name}")
        return self.root / full.lstrip("/")

    def do_USER(self, rest: str) -> None:  # noqa: N802
        self.say("331 password")

    def do_PASS(self, rest: str) -> None:  # noqa: N802
        self.say("230 welcome")

    def do_TYPE(self, rest: str) -> None:  # noqa: N802
        self.say("200 ok")

    def do_PWD(self, rest: str) -> None:  # noqa: N802
        self.say(f'257 "{self.here}"')

    def do_CWD(self, rest: str) -> None:  # noqa: N802
        if not self.path(rest).is_dir():
            raise FileNotFoundError
        self.here = "/" + str(self.path(rest).relative_to(self.root)).removeprefix(".")
        self.say("250 ok")

    def do_QUIT(self, rest: str) -> None:  # noqa: N802
        self.say("221 bye")

    def do_PASV(self, rest: str) -> None:  # noqa: N802
        self.finish_door()
        self.door = socket.create_server(("127.0.0.1", 0))
        port = self.door.getsockname()[1]
        self.say(f"227 Entering Passive Mode (127,0,0,1,{port // 256},{port % 256})")

    def do_REST(self, rest: str) -> None:  # noqa: N802
        self.offset = int(rest)
        self.say("350 from there")

    def do_SIZE(self, rest: str) -> None:  # noqa: N802
        if not self.path(rest).is_file():
            raise FileNotFoundError
        self.say(f"213 {self.path(rest).stat().st_size}")

    def do_MLSD(self, rest: str) -> None:  # noqa: N802
        folder = self.path(rest)
        if not folder.is_dir():
            raise FileNotFoundError
        lines = []
        for path in sorted(folder.iterdir()):
            stat = path.stat()
            kind = "dir" if path.is_dir() else "file"
            when = strftime("%Y%m%d%H%M%S", gmtime(stat.st_mtime))
            lines.append(f"type={kind};size={stat.st_size};modify={when}; {path.name}\r\n")
        self.send("".join(lines).encode())

    def do_RETR(self, rest: str) -> None:  # noqa: N802
        content = self.path(rest).read_bytes()[self.offset :]
        self.offset = 0
        self.send(content)

    def do_STOR(self, rest: str) -> None:  # noqa: N802
        target = self.path(rest)
        if not target.parent.is_dir():
            raise FileNotFoundError
        assert self.door
        self.say("150 come")
        connection, _ = self.door.accept()
        with (
            connection,
            connection.makefile("rb") as stream,
            target.open("r+b" if self.offset else "wb") as file,
        ):
            file.seek(self.offset)
            self.offset = 0
            while chunk := stream.read(65_536):
                file.write(chunk)
        self.door.close()
        self.say("226 done")

    def send(self, content: bytes) -> None:
        assert self.door
        self.say("150 come")
        connection, _ = self.door.accept()
        with connection:
            connection.sendall(content)
        self.door.close()
        self.say("226 done")

    def do_MKD(self, rest: str) -> None:  # noqa: N802
        self.path(rest).mkdir()
        self.say(f'257 "{rest}"')

    def do_RMD(self, rest: str) -> None:  # noqa: N802
        self.path(rest).rmdir()
        self.say("250 ok")

    def do_DELE(self, rest: str) -> None:  # noqa: N802
        self.path(rest).unlink()
        self.say("250 ok")

    def do_RNFR(self, rest: str) -> None:  # noqa: N802
        self.source = rest
        self.say("350 and to")

    def do_RNTO(self, rest: str) -> None:  # noqa: N802
        self.path(self.source).rename(self.path(rest))
        self.say("250 ok")


@contextmanager
def ftp_server(root: Path) -> Iterator[str]:
    """The address of a folder on a server while it runs."""
    (root / "livereview").mkdir(parents=True)
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), partial(Session, root))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"ftp://ann:pass@127.0.0.1:{server.server_address[1]}/livereview"
    finally:
        server.shutdown()
        server.server_close()
        import fsspec

        fsspec.get_filesystem_class("ftp").clear_instance_cache()
