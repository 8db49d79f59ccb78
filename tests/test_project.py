"""What others meet first: the wheel, the version, the licence, and pages that name code which is
there.
"""

from __future__ import annotations

import ast
import re
import tomllib
import zipfile
from functools import cache
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from hatchling.build import build_wheel

from livereview import demo, night
from livereview.store import migrations
from tests.test_cli import livereview

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TEXTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
NAMED = re.compile(r"`([a-z_/]+\.py): (\w+)`")


@cache
def names_in(path: Path) -> set[str]:
    """What a module defines at its top."""
    defined: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            defined.add(node.name)
        elif isinstance(node, ast.Assign):
            defined |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            defined.add(node.target.id)
    return defined


def named_code() -> list[tuple[str, str, str]]:
    """(page, file, name) of everything that a page names as `file.py: name`."""
    found = []
    for path in TEXTS:
        page = str(path.relative_to(ROOT))
        found += [
            (page, file, name) for file, name in NAMED.findall(path.read_text(encoding="utf-8"))
        ]
    return found


@pytest.mark.parametrize(("page", "file", "name"), named_code())
def test_the_code_that_a_page_names_is_there(page: str, file: str, name: str) -> None:
    places = [ROOT / file, ROOT / "livereview" / file]
    path = next((place for place in places if place.exists()), None)
    assert path, f"{page} names {file}, which is not there"
    assert name in names_in(path), f"{page} names {name} of {file}, which is not there"


def test_the_walk_goes_through_all_three() -> None:
    walk = (ROOT / "docs" / "explanation" / "walk.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (One \w+)", walk, re.MULTILINE) == [
        "One record",
        "One decision",
        "One sentence",
    ]
    assert len(NAMED.findall(walk)) > 30
    assert "docs/explanation/walk.md" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def test_a_wheel_has_one_package_with_all_that_it_needs_and_its_licence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    wheel = zipfile.ZipFile(tmp_path / build_wheel(str(tmp_path)))
    names = set(wheel.namelist())
    information = f"livereview-{PROJECT['version']}.dist-info"
    assert {name.split("/")[0] for name in names} == {"livereview", information}
    assert {
        f"{information}/licenses/LICENSE",
        f"{information}/licenses/NOTICE",
        "livereview/py.typed",
    } <= names

    parts = {
        "_db": "db",
        "_flows": "flows",
        "_examples/youth-homelessness": "examples/youth-homelessness",
    }
    for inside, outside in parts.items():
        here = {
            str(path.relative_to(ROOT / outside))
            for path in (ROOT / outside).rglob("*")
            if path.is_file()
        }
        expected = {name for name in here if "__pycache__" not in name}
        there = {
            name.removeprefix(f"livereview/{inside}/")
            for name in names
            if name.startswith(f"livereview/{inside}/")
        }
        assert there == expected
    for kind in (
        "template.toml",
        "locale/fr.po",
        "web/templates/screen.html",
        "summary/templates/index.html",
    ):
        assert f"livereview/{kind}" in names
    assert not [
        name for name in names if "__pycache__" in name or name.endswith((".duckdb", ".log"))
    ]


def test_flows_import_themselves_by_no_absolute_name() -> None:
    """A wheel has them under another name.

    And what is the package's own is looked for before the checkout's.
    """
    for path in (ROOT / "flows").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            module = node.module if isinstance(node, ast.ImportFrom) and node.level == 0 else None
            assert (module or "").split(".")[0] != "flows", path.name
    for path in (ROOT / "livereview").rglob("*.py"):
        assert not re.search(
            r"^\s*(from|import) flows\b", path.read_text(encoding="utf-8"), re.MULTILINE
        ), path
    assert night.flow_module("progress").__name__ == "flows.progress"
    assert migrations.SQL == ROOT / "db"
    assert demo.EXAMPLES == ROOT / "examples"


def test_the_version_is_said_by_the_command_and_is_one() -> None:
    said = livereview("--version").stdout
    assert said == f"livereview {version('livereview')}\n"
    assert version("livereview") == PROJECT["version"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"] == "Apache-2.0"


def test_the_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert [f"   {number}. " in text for number in range(1, 10)] == [True] * 9
    assert "END OF TERMS AND CONDITIONS" in text


def test_hosted_ci_runs_what_ours_runs() -> None:
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))[
        "jobs"
    ]
    assert [step.get("run") for step in jobs["run"]["steps"]][-1] == "bash .ci/run"


def test_hooks_run_the_linters_of_the_lock_file() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][
        0
    ]["hooks"]
    for hook in hooks:
        assert hook["entry"].startswith(".venv/bin/") and hook["language"] == "system"


def test_the_glossary_lists_its_words_in_order_and_once() -> None:
    parts = (ROOT / "GLOSSARY.md").read_text(encoding="utf-8").split("\n## ")[1:]
    for part in parts:
        words = re.findall(r"^\| (\w[^|]*?) \|", part, re.MULTILINE)[1:]
        assert words == sorted(set(words), key=str.casefold)
