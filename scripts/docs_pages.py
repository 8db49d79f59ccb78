"""The pages of docs/ that are made from the code: commands, settings, review.toml, summary.json,
the tables.

MkDocs calls `on_page_markdown` for every page (mkdocs.yml, `hooks`). Where a page holds a line such
as `<!-- written by make docs: settings -->`, what the code says takes its place. Nothing made is
committed: it cannot be out of date, and two branches that add an option do not conflict.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "examples" / "screenshots"
MARKER = re.compile(r"^<!-- written by make docs: (\w+) -->$", re.MULTILINE)
MANY_VALUES = 12  # a longer list of choices is told by its number


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [_row(heading), _row(["---"] * len(heading))]
    lines += [_row(row) for row in rows]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    written = [cell.replace("|", "\\|").replace("\n", " ") for cell in cells]
    return f"| {' | '.join(written)} |"


def code(text: str) -> str:
    """Text as code; nothing stays nothing."""
    return f"`{text}`" if text else ""


def plain(text: str) -> str:
    """Text with nothing in it that Markdown would take for an element."""
    return text.replace("<", "&lt;").replace(">", "&gt;")


def commands() -> str:
    """Every command with its help and its options, as `livereview COMMAND --help` has them."""
    import typer.main

    from livereview.cli import app

    group: Any = typer.main.get_command(app)
    context = group.make_context("livereview", ["status"], resilient_parsing=True)
    names = group.list_commands(context)
    parts: list[str] = []
    for name in names:
        parts += _command(f"livereview {name}", group.get_command(context, name), context, "###")
    return "\n\n".join(parts)


def _command(name: str, command: Any, context: Any, level: str) -> Iterator[str]:
    """A command's heading, help and options, and those of its own commands."""
    yield f"{level} {name}"
    yield _help(command.help or "")
    rows = []
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if record is not None:
            usage, meaning = record
            rows.append((code(usage), plain(meaning)))
    if rows:
        yield table(("option", "what it does"), rows)
    for part, child in getattr(command, "commands", {}).items():
        yield from _command(f"{name} {part}", child, context, f"{level}#")


def _help(text: str) -> str:
    """A docstring as Markdown; its example becomes a block of code."""
    first, _, rest = text.partition("\n\n")
    said, _, example = first.partition("Example: ")
    parts = [plain(said.strip())]
    if example:
        parts.append(f"    {' '.join(example.split())}")
    if rest:
        parts.append(plain(rest))
    return "\n\n".join(parts)


def settings() -> str:
    """Every variable of the environment."""
    from livereview import settings

    rows = []
    for setting in settings.DESCRIBED:
        default = code(setting.default) or "none"
        rows.append((code(setting.name), plain(setting.meaning), default))
    return table(("setting", "what it is", "default"), rows)


def protocol() -> str:
    """Every key of review.toml: what the reader asks, and what the commented template says of it."""
    from livereview import review_toml

    said = comments(review_toml.template())
    parts = []
    tables = dict.fromkeys(rule.table for rule in review_toml.rules())
    for name in tables:
        parts.append(f"### {code(_heading(name))}" if name else "### At the top of the file")
        _, about = said.get((name, ""), ("", ""))
        if about:
            parts.append(plain(about[0].upper() + about[1:]) + ".")
        rows = []
        for rule in review_toml.rules():
            is_table = any(_inside(rule.table, rule.name) == other for other in tables)
            if rule.table == name and not is_table:
                value, meaning = said.get((name, rule.name), ("", ""))
                rows.append((code(rule.name), _default(rule), code(value), plain(meaning)))
        parts.append(table(("key", "left out", "for example", "what it is"), rows))
    parts += ["## The whole of it", f"```toml\n{review_toml.template().strip()}\n```"]
    return "\n\n".join(parts)


def _inside(table_name: str, key: str) -> str:
    return f"{table_name}.{key}" if table_name else key


def _heading(name: str) -> str:
    """A table as the template opens it: [living], or [[searches]] where there may be several."""
    from livereview import review_toml

    several = f"[[{name}]]"
    return several if several in review_toml.template() else f"[{name}]"


def _default(rule: Any) -> str:
    if rule.needed:
        return "must be there"
    if rule.default in (None, (), [], "", {}):
        return "none"
    if isinstance(rule.default, str | bool | int | float):
        return code(json.dumps(rule.default))
    return code(json.dumps(list(rule.default)))


def comments(template: str) -> dict[tuple[str, str], tuple[str, str]]:
    """The template's (value, comment) of each (table, key); of a table itself under an empty key.

    A comment may go on in lines of its own, which begin with spaces. Where a table stands there
    twice, the first place counts.
    """
    said: dict[tuple[str, str], tuple[str, str]] = {}
    table_name = ""
    last = None
    for line in template.splitlines():
        heading = re.match(r"(?:# )?\[\[?([a-z_.]+)\]\]?(?:\s+#\s+(.*))?$", line)
        entry = re.match(r"(?:# )?([a-z_]+) = (.*?)(?:\s+#\s+(.*))?$", line)
        more = re.match(r"\s+#\s+(.*)$", line)
        if heading:
            table_name = heading[1]
            place, value, comment = (table_name, ""), "", heading[2] or ""
        elif entry:
            place, value, comment = (table_name, entry[1]), entry[2], entry[3] or ""
        elif more and last:
            value, comment = said[last]
            said[last] = value, f"{comment} {more[1]}"
            continue
        else:
            last = None
            continue
        last = None if place in said else place
        said.setdefault(place, (value, comment))
    return said


def summary() -> str:
    """Every field of summary.json, from its JSON Schema."""
    from livereview.summary.site import schema_text

    schema = json.loads(schema_text())
    parts = [table(("field", "type", "what it is"), _fields(schema, ""))]
    for name, definition in sorted(schema["$defs"].items()):
        if "properties" not in definition:
            continue
        parts.append(f"#### {name}")
        if about := definition.get("description"):
            parts.append(plain(about))
        parts.append(table(("field", "type", "what it is"), _fields(definition, "")))
    return "\n\n".join(parts)


def tables() -> str:
    """Every column of the published tables, table by table."""
    from livereview.summary import analysis_tables, dictionary, findings_table
    from livereview.summary import tables as published

    columns = {
        "studies": (*published.STUDIES, "reports", "dois"),
        "effects": ("study", "label", *published.RESULTS),
        "exclusions": (*published.REPORT, "reason"),
        "findings": findings_table.COLUMNS,
        **analysis_tables.ALL,
    }
    parts: list[str] = []
    for name, names in columns.items():
        parts += [f"### {name}", plain(dictionary.ABOUT[name])]
        rows = [
            (
                code(column),
                published.KINDS.get(column, "text"),
                plain(dictionary.meaning(name, column)),
            )
            for column in names
        ]
        parts.append(table(("column", "type", "what it is"), rows))
    return "\n\n".join(parts)


def _fields(schema: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str, str]]:
    """The properties of an object, and of those inside it, with dotted names."""
    needed = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        dotted = f"{prefix}{name}"
        meaning = plain(str(field.get("description", "")))
        optional = "" if name in needed else ", may be left out"
        yield code(dotted), _type(field) + optional, meaning
        yield from _fields(field, f"{dotted}.")
        items = field.get("items")
        if isinstance(items, dict):
            yield from _fields(items, f"{dotted}[].")


def _type(field: Mapping[str, Any]) -> str:
    """A type in words: its definition's name, its choices, or what JSON calls it."""
    if "$ref" in field:
        return str(field["$ref"]).rsplit("/", 1)[-1]
    if "const" in field:
        return code(json.dumps(field["const"]))
    if "enum" in field:
        values = field["enum"]
        many = len(values) > MANY_VALUES
        return f"one of {len(values)}" if many else "one of " + ", ".join(map(str, values))
    if "anyOf" in field or "oneOf" in field:
        return " or ".join(_type(choice) for choice in field.get("anyOf") or field["oneOf"])
    kind = field.get("type", "any")
    if isinstance(kind, list):
        return " or ".join(kind)
    items = field.get("items")
    if kind == "array" and isinstance(items, dict):
        return f"array of {_type(items)}"
    return str(kind)


def http_api() -> str:
    """Every address of the HTTP API, by what it is about."""
    from livereview.web.v1 import routes

    document = routes.description()
    parts: list[str] = []
    for tag in document["tags"]:
        parts += [f"## {tag['name']}", plain(tag["description"])]
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                if tag["name"] in operation["tags"]:
                    parts += _address(method, path, operation)
    parts.append("## What is sent and what comes back")
    for name, schema in sorted(document["components"]["schemas"].items()):
        if not name.startswith("Page_"):
            parts += _model(name, schema)
    return "\n\n".join(parts)


def _address(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    """An address with its parameters, its body and its answer."""
    yield f"### {method.upper()} {plain(path)}"
    yield plain(operation["description"])
    rows = [
        (code(parameter["name"]), parameter["in"], plain(parameter["description"]))
        for parameter in operation.get("parameters", [])
        if parameter["in"] != "path"
    ]
    if rows:
        yield table(("parameter", "where", "what it does"), rows)
    body = operation.get("requestBody", {}).get("content", {})
    for kind, content in body.items():
        yield f"Body: {_model_named(content['schema']) or code(kind)}."
    for status in ("200", "201"):
        content = operation["responses"].get(status, {}).get("content", {})
        if "application/json" in content:
            name = _model_named(content["application/json"]["schema"])
            yield f"{status}: {name or 'an object'}."


def _model_named(schema: Mapping[str, Any]) -> str:
    """The model of a schema as a link; "" where it has none."""
    name = schema.get("$ref", "").rpartition("/")[2]
    if name.startswith("Page_"):
        inner = name.removeprefix("Page_").strip("_")
        known = "dict" not in inner
        return f"a page of [{inner}](#{inner.lower()})" if known else "a page of objects"
    return f"[{name}](#{name.lower()})" if name else ""


def _model(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    """A model with its fields."""
    yield f"### {name}"
    if schema.get("description"):
        yield plain(schema["description"])
    needed = schema.get("required", [])
    rows = []
    for field, about in schema.get("properties", {}).items():
        words = plain(about.get("description", "").replace("\n", " "))
        must = "yes" if field in needed else ""
        rows.append((code(field), code(_type(about)), must, words))
    yield table(("field", "type", "always", "what it says"), rows)


def door() -> str:
    """Every operation of the owner's door: what it takes, who may ask, what it answers."""
    from livereview.commands import COMMANDS

    parts: list[str] = []
    for command in COMMANDS:
        parts += [f"## {command.operation}", plain(_first_sentence(command.__doc__))]
        scope = command.needs.scope
        who = "Only the owner's own secret." if scope is None else f"A token with {code(scope)}."
        parts.append(who)
        taken = list(_fields(command.model_json_schema(by_alias=True), ""))
        parts.append(table(("field", "type", "what it is"), taken))
        answer = command.answer_type().model_json_schema(by_alias=True)
        given = list(_fields(answer, ""))
        if given:
            parts.append(f"It answers: {plain(_first_sentence(answer.get('description')))}")
            parts.append(table(("field", "type", "what it is"), given))
    return "\n\n".join(parts)


def _first_sentence(text: str | None) -> str:
    return " ".join((text or "").split("\n\n")[0].split())


def decisions() -> str:
    """The list of records, read from their headings."""
    rows = []
    for path in sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md")):
        text = path.read_text(encoding="utf-8")
        heading = re.match(r"# (\d+)\. (.+)\n\n(.+)\.\n", text)
        if heading is None:
            raise ValueError(
                f"{path}: begin with “# NUMBER. TITLE”, an empty line, “Accepted, DATE.”"
            )
        rows.append((heading[1], f"[{heading[2]}]({path.name})", heading[3]))
    return table(("", "decision", "standing"), rows)


MADE: dict[str, Callable[[], str]] = {
    "commands": commands,
    "settings": settings,
    "protocol": protocol,
    "summary": summary,
    "tables": tables,
    "decisions": decisions,
    "http_api": http_api,
    "door": door,
}


def on_page_markdown(markdown: str, **_: Any) -> str:
    """MkDocs' hook: the page with what the code says in place of its markers."""
    return MARKER.sub(lambda marker: MADE[marker[1]](), markdown)


def on_files(files: Any, config: Any) -> Any:
    """MkDocs' hook: README's pictures are the site's too."""
    from mkdocs.structure.files import File

    for picture in sorted(PICTURES.glob("*.png")):
        file = File.generated(config, f"pictures/{picture.name}", abs_src_path=str(picture))
        files.append(file)
    return files
