"""Who may import whom, read from the code itself."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CORE = {"records", "links", "errors", "review"}
PURE = (
    "decoding", "identifiers", "links", "registrations",
    "records", "errors", "review", "rights", "sources", "dedup", "surveillance", "screening", "evidence", "summary",
    "statistics", "ranking", "exchange", "assistant", "cells", "texts", "packed", "pdf_text",
    "workbooks",
)  # fmt: skip
EVERYTHING = {
    path.stem if path.suffix else path.name for path in (ROOT / "livereview").iterdir()
} - {
    "__init__",
    "__main__",
    "cli",
}

ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "backups": {"disk", "errors", "private_files"},
    "disk": {"errors"},
    "cells": set(),
    "texts": set(),
    "packed": {"errors"},
    "workbooks": {"errors"},
    "pdf_text": set(),
    "decoding": set(),
    "identifiers": set(),
    "links": set(),
    "registrations": set(),
    "records": {"identifiers", "links", "errors"},
    "settings": {"disk", "errors"},
    "rights": set(),
    "private_files": {"disk"},
    "messages": {"errors"},
    "processes": set(),
    "logs": set(),
    "systemd": set(),
    "timetable": set(),
    "alerts": {"errors", "notices", "ops", "private_files", "settings", "store", "wire"},
    "secret_mails": {"commands", "notices", "ops", "private_files", "settings", "store"},
    "wire": set(),
    "durable": {"private_files"},
    "review": {"records", "errors"},
    "review_toml": {"review", "messages", "texts", "errors"},
    "sources": {
        "cells",
        "decoding",
        "identifiers",
        "links",
        "records",
        "registrations",
        "errors",
        "workbooks",
    },
    "dedup": {"links", "records", "registrations", "errors"},
    "surveillance": CORE | {"messages", "sources"},
    "screening": CORE,
    "evidence": CORE | {"cells", "statistics", "messages", "texts"},
    "statistics": {"errors"},
    "ranking": {"errors"},
    "assistant": {"errors", "evidence", "review", "statistics", "texts"},
    "second_opinions": {"commands", "errors", "settings", "wire"},
    "exchange": CORE | {"cells", "decoding", "evidence", "identifiers", "workbooks"},
    "summary": CORE | {"cells", "evidence", "surveillance", "messages"},
    "fetch": {"wire", "sources", "records", "errors"},
    "parsing": {"sources", "exchange", "pdf_text", "records", "errors"},
    "notices": {"commands", "errors", "fetch", "wire"},
    "replay": {"disk", "fetch", "sources", "records", "errors"},
    "trying": {"fetch", "settings", "sources", "records", "errors"},
    "store": CORE
    | {
        "private_files",
        "disk",
        "durable",
        "sources",
        "dedup",
        "surveillance",
        "screening",
        "evidence",
    },
    "batches": {"dedup", "dedup_files", "durable", "records", "errors"},
    "dedup_files": {"cells", "packed", "dedup", "sources", "records", "errors"},
    "ops": CORE
    | {
        "assistant",
        "pdf_text",
        "identifiers",
        "private_files",
        "review_toml",
        "sources",
        "parsing",
        "texts",
        "dedup",
        "surveillance",
        "screening",
        "evidence",
        "summary",
        "store",
        "exchange",
        "ranking",
        "notices",
        "disk",
        "rights",
        "processes",
        "durable",
        "timetable",
        "backups",
        "packed",
        "workbooks",
        "commands",
    },
    "door_version": set(),
    "commands": {"errors", "rights", "timetable"},
    "endings": {"commands"},
    "shared_answers": {"backups", "fetch", "sources", "errors"},
    "remote": {"commands", "door_version", "errors", "wire"},
    "client": {"commands", "ops", "store", "settings", "errors", "private_files", "remote"},
    "files": {
        "commands",
        "packed",
        "client",
        "sources",
        "records",
        "errors",
        "exchange",
        "review_toml",
        "workbooks",
    },
    "web": CORE
    | {
        "dedup",
        "pdf_text",
        "backups",
        "disk",
        "rights",
        "ops",
        "parsing",
        "store",
        "exchange",
        "screening",
        "evidence",
        "settings",
        "decoding",
        "review_toml",
        "trying",
        "cells",
        "packed",
        "sources",
    }
    | {
        "alerts",
        "secret_mails",
        "client",
        "commands",
        "door_version",
        "logs",
        "systemd",
        "wire",
        "private_files",
    },
    "entrypoints": {"night"},
    "night": {"commands", "endings", "errors", "replay", "settings", "flows"},
    "demo": {"client", "commands", "files", "night", "ops", "records", "settings", "errors"},
    "__main__": {"cli"},
    "cli": EVERYTHING | {"flows"},
    "flows": CORE
    | {
        "backups",
        "commands",
        "endings",
        "entrypoints",
        "shared_answers",
        "timetable",
        "private_files",
        "processes",
        "notices",
        "fetch",
        "parsing",
        "replay",
        "sources",
        "surveillance",
        "review_toml",
        "client",
        "second_opinions",
        "settings",
    },
}
IMPURE = {
    "duckdb",
    "requests",
    "prefect",
    "fastapi",
    "starlette",
    "os",
    "time",
    "random",
    "socket",
    "subprocess",
    "uuid",
}


def files() -> list[Path]:
    return [*sorted((ROOT / "livereview").rglob("*.py")), *sorted((ROOT / "flows").rglob("*.py"))]


def part(path: Path) -> str:
    inside = path.relative_to(ROOT).parts
    return "flows" if inside[0] == "flows" else inside[1].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Dotted names that a file imports, at the top or inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def target(name: str) -> str | None:
    """The part of the project that a dotted name belongs to."""
    words = name.split(".")
    if words[0] == "flows":
        return "flows"
    return words[1] if words[0] == "livereview" and len(words) > 1 else None


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_the_right_way(path: Path) -> None:
    here = part(path)
    if here == "__init__":
        return
    used = {found for name in imports(path) if (found := target(name))} - {here}
    assert used <= ALLOWED[here], f"{here} must not import {sorted(used - ALLOWED[here])}"


@pytest.mark.parametrize(
    "path", [p for p in files() if part(p) in PURE], ids=lambda path: str(path.relative_to(ROOT))
)
def test_the_core_does_no_io_and_never_asks_for_the_time(path: Path) -> None:
    assert not {name.split(".")[0] for name in imports(path)} & IMPURE
    text = path.read_text(encoding="utf-8")
    assert "datetime.now" not in text and "date.today" not in text


def test_prefect_is_imported_by_flows_only() -> None:
    users = {
        part(path)
        for path in files()
        if any(name.split(".")[0] == "prefect" for name in imports(path))
    }
    assert users == {"flows"}


@pytest.mark.parametrize("path", files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_answer_of_the_database_is_left_half_read(path: Path) -> None:
    """It would keep DuckDB from every later checkpoint: `store.rows` reads one row, `fetchall()`
    all of them.
    """
    half = {"fetchone", "fetchmany"}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert not [
        call.lineno for call in calls if isinstance(call, ast.Attribute) and call.attr in half
    ]
    statements = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    assert not [call.lineno for call in statements if isinstance(call, ast.Call) and _asks(call)], (
        "read what it says"
    )


def _asks(call: ast.Call) -> bool:
    """Whether this executes a question, going by its first word."""
    if not (isinstance(call.func, ast.Attribute) and call.func.attr == "execute" and call.args):
        return False
    text = ast.unparse(call.args[0]).lstrip("frb'\"\\n ")
    return text.upper().startswith(("SELECT", "WITH ", "FROM "))
