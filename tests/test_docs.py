"""What README and docs/ name is there: pages, files, commands and options.

And what is made from the code is whole.
"""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from livereview import review_toml, settings
from livereview.cli import app
from livereview.commands import COMMANDS
from livereview.web.v1 import routes
from scripts import docs_pages

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
TEXTS = [*sorted(ROOT.glob("*.md")), *PAGES]
MADE_NAMES = ("demo/", "build/", "site/")  # paths that a command makes


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_bytes()) < 9_000


@pytest.mark.parametrize("page", TEXTS, ids=name_of)
def test_every_link_leads_to_a_file(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)", text_of(page))
    pictures = DOCS / "pictures"  # the site's name for examples/screenshots
    for target in targets:
        if target.startswith("https://"):
            continue
        path = (page.parent / target).resolve()
        if path.is_relative_to(pictures):
            path = docs_pages.PICTURES / path.name
        assert path.exists(), f"{name_of(page)} links to {target}"


@pytest.mark.parametrize("page", TEXTS, ids=name_of)
def test_every_file_that_is_named_exists(page: Path) -> None:
    named = re.findall(
        r"`([a-z_]+(?:/[A-Za-z0-9_.-]+)*/[A-Za-z0-9_-]+\.(?:py|sql|toml|yaml|md|sh))", text_of(page)
    )
    for name in named:
        places = [ROOT / name, ROOT / "livereview" / name]
        assert any(place.exists() for place in places) or name.startswith(MADE_NAMES), (
            f"{name_of(page)} names {name}"
        )


@pytest.mark.parametrize("page", TEXTS, ids=name_of)
def test_every_command_in_a_block_exists_with_its_options(page: Path) -> None:
    group: Any = typer.main.get_command(app)
    context = group.make_context("livereview", ["status"], resilient_parsing=True)
    for line in re.findall(r"^    (?:[A-Z_]+=\S+ )*livereview (.*)$", text_of(page), re.MULTILINE):
        words = shlex.split(line.rstrip("& ").partition(" #")[0])
        command = group.get_command(context, words.pop(0))
        assert command is not None, f"{name_of(page)}: livereview {line}"
        if words and words[0] in getattr(command, "commands", {}):
            command = command.commands[words.pop(0)]
        options = {option for parameter in command.params for option in parameter.opts}
        given = {word for word in words if word.startswith("--")}
        assert given <= options, f"{name_of(page)}: livereview {line}"


def test_every_page_stands_in_the_navigation_once() -> None:
    listed = re.findall(r": ([a-z/-]+\.md)$", text_of(ROOT / "mkdocs.yml"), re.MULTILINE)
    records = {path for path in PAGES if re.match(r"\d{4}-", path.name)}
    there = [str(path.relative_to(DOCS)) for path in PAGES if path not in records]
    assert sorted(listed) == sorted(there)


def test_the_site_loads_nothing_from_elsewhere() -> None:
    theme = yaml.safe_load(text_of(ROOT / "mkdocs.yml"))["theme"]
    assert theme["font"] is False


def test_every_page_that_is_made_has_its_place() -> None:
    markers = [name for page in PAGES for name in docs_pages.MARKER.findall(text_of(page))]
    assert sorted(markers) == sorted(docs_pages.MADE)


def test_the_reference_of_commands_has_every_option() -> None:
    made = docs_pages.on_page_markdown("<!-- written by make docs: commands -->")
    for line in ("### livereview surveil", "#### livereview rank stop", "| `--clock-is-right` |"):
        assert line in made
    assert "    livereview surveil --review signs-of-safety" in made


def test_the_reference_of_the_http_api_has_every_address() -> None:
    made = docs_pages.http_api()
    for endpoint in routes.ENDPOINTS:
        assert f"### {endpoint.method} /api/v1{endpoint.path}" in made
    assert "a page of [Report](#report)" in made and "| `verdict` | `string` | yes |" in made


def test_the_reference_of_the_door_has_every_operation_and_what_each_field_means() -> None:
    made = docs_pages.door()
    for command in COMMANDS:
        assert f"## {command.operation}\n" in made
    assert "| `cursor` | string or null, may be left out | What asked for this page; null:" in made
    assert "| `outcome` | string | ok, ok-zero, partial or failed. |" in made
    assert "A token with `flows`." in made and "Only the owner's own secret." in made


def test_the_reference_of_settings_has_every_setting() -> None:
    made = docs_pages.settings()
    for setting in settings.DESCRIBED:
        assert f"| `{setting.name}` |" in made
    assert "| `512MB` |" in made and "| none |" in made


def test_the_reference_of_review_toml_has_every_key_with_what_the_template_says() -> None:
    made = docs_pages.protocol()
    for rule in review_toml.rules():
        is_table = f"[{rule.table}.{rule.name}]".replace("[.", "[") in made
        assert f"| `{rule.name}` | " in made or is_table, rule
    assert (
        '| `better` | must be there | `"lower"` | which direction is good for people: "lower" or "higher" |'
        in made
    )
    assert '| `measure` | none | `"RR"` |' in made
    # a comment that goes on in a second line
    assert "research, funding, explanations, caveats" in made
    assert review_toml.template().strip() in made


def test_every_table_that_the_reader_knows_is_in_the_reference() -> None:
    listed: dict[str, set[str]] = {}
    for rule in review_toml.rules():
        listed.setdefault(rule.table, set()).add(rule.name)
    for name, keys in vars(review_toml).items():
        if name.startswith("_") and not name.startswith("__") and isinstance(keys, dict):
            assert set(keys) in listed.values(), f"add {name} to review_toml.rules()"


def test_the_data_dictionary_has_every_field_of_the_schema() -> None:
    made = docs_pages.summary()
    assert "#### PublishedFinding" in made and "| `state` | one of not_asked, " in made
    assert (
        "| `headline` | string | What it means, without a figure: what a signature is for. |"
        in made
    )
    assert "#### Estimate" in made and "| `tau2` | number or null, may be left out |" in made


def test_decisions_are_numbered_without_a_gap_and_have_three_parts() -> None:
    records = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    assert len(records) > 40
    for number, path in enumerate(records, start=1):
        text = text_of(path)
        assert path.name.startswith(f"{number:04d}-")
        assert text.startswith(f"# {number}. ")
        assert re.findall(r"^## (.*)$", text, re.MULTILINE) == ["Problem", "Choice", "Price"], (
            path.name
        )
        assert re.search(r"^(Accepted|Superseded by .+), \d{4}-\d\d-\d\d\.$", text, re.MULTILINE), (
            path.name
        )
    assert docs_pages.decisions().count("\n") == len(records) + 1
