"""The page for programs: its examples run as they stand, against files as they are served."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from livereview.summary import api_page, site
from tests import evidence
from tests.snapshots import result, snapshot, study

NODE = shutil.which("node")
RSCRIPT = shutil.which("Rscript")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A version that knows the address at which it is served."""
    home = tmp_path_factory.mktemp("served")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(home)))
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}/mentors/"
    forms = (
        evidence.study("a", evidence.smd(0.5, 0.2)),
        evidence.study("b", evidence.smd(0.6, 0.2), evidence.around(0.8, 0.1)),
    )
    asked = replace(evidence.review(), site_url=address)
    build = site.build(snapshot(*forms, review=asked), 1, "first")
    latest = home / "mentors" / "latest"
    latest.mkdir(parents=True)
    for name, content in build.files.items():
        (latest / name).write_bytes(content)
    yield latest
    server.shutdown()
    server.server_close()


def example(folder: Path, language: str) -> str:
    page = (folder / "api.html").read_text("utf-8")
    found = re.search(rf'<h3 id="{language}">.*?<code>(.*?)</code>', page, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def said_as_on_the_page(folder: Path, printed: str) -> None:
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    assert summary["answer"]["text"] in printed
    assert "Searches complete to:" in printed


def test_the_example_in_python_runs(folder: Path) -> None:
    command = [sys.executable, "-c", example(folder, "python")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said_as_on_the_page(folder, done.stdout)
    assert "SMD" in done.stdout


@pytest.mark.skipif(NODE is None, reason="no Node here to run the example")
def test_the_example_in_javascript_runs(folder: Path) -> None:
    command = [str(NODE), "--input-type=module", "-e", example(folder, "javascript")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said_as_on_the_page(folder, done.stdout)


@pytest.mark.skipif(RSCRIPT is None, reason="no R here to run the example")
def test_the_example_in_r_runs(folder: Path) -> None:
    code = example(folder, "r").split("# one finding pooled again")[0]
    done = subprocess.run([str(RSCRIPT), "-e", code], capture_output=True, text=True, check=True)
    said_as_on_the_page(folder, done.stdout)


def test_the_example_for_excel_asks_for_a_file_that_is_there(folder: Path) -> None:
    found = re.search(r'Web\.Contents\("([^"]+)"\)', example(folder, "excel"))
    assert found is not None and (folder / found[1].rsplit("/", 1)[1]).is_file()


def test_every_address_on_the_page_is_of_a_file_that_is_there(folder: Path) -> None:
    for name, _ in api_page.FILES:
        assert (folder.parent / name).is_file(), name


def test_the_schema_can_be_fetched_where_it_says(folder: Path) -> None:
    schema = json.loads((folder / "summary.schema.json").read_text("utf-8"))
    assert schema["$id"].endswith("/mentors/v/1/summary.schema.json")


def test_without_an_address_the_page_says_so_and_makes_none_up() -> None:
    files = site.build(snapshot(study("a", result())), 1, "first").files
    page = files["api.html"].decode()
    assert api_page.UNKNOWN in page and "does not say at which address" in page
    assert json.loads(files["summary.schema.json"])["$id"].startswith("urn:")
