"""Which module has which command.

A module is imported when one of its commands is called (or all are listed), so that
no command waits for what another needs. For the same reason a module here imports at its top only
what its options and most of its commands need, and a function what brings numbers, flows, pages or
the database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from importlib import import_module
from typing import Any

from typer.core import TyperGroup
from typer.main import get_command_from_info, get_command_name, get_group_from_info

MODULES = {  # in the order of --help
    "surveillance": ("init", "register", "surveil", "recheck", "schedule", "ledger", "status"),
    "deployment": ("deploy",),
    "service": ("demo", "serve", "publish", "open", "sign-off"),
    "backup": ("backup", "restore"),
    "upgrade": ("upgrade",),
    "records": ("import", "parse", "sources", "tools", "rebuild"),
    "dedup": ("dedup",),
    "people": ("decide", "extract", "code", "rate", "account", "token"),
    "acts": ("acts",),
    "withdraw": ("withdraw",),
    "retirement": ("retire",),
    "rank": ("rank",),
    "assist": ("assist",),
    "pool": ("pool",),
    "notices": ("digest", "notify", "alert"),
}
PLACES = {command: module for module, commands in MODULES.items() for command in commands}


class Loaded(Mapping[str, Any]):
    """The commands by name; asking for one imports its module."""

    def __getitem__(self, name: str) -> Any:
        app = import_module(f"livereview.cli.{PLACES[name]}").app
        for command in app.registered_commands:
            if name == (command.name or get_command_name(command.callback.__name__)):
                return get_command_from_info(
                    command, pretty_exceptions_short=False, rich_markup_mode=None
                )
        group = next(group for group in app.registered_groups if group.name == name)
        return get_group_from_info(
            group, pretty_exceptions_short=False, suggest_commands=True, rich_markup_mode=None
        )

    def __iter__(self) -> Iterator[str]:
        return iter(PLACES)

    def __len__(self) -> int:
        return len(PLACES)


WORDS: ContextVar[tuple[str, ...]] = ContextVar("WORDS", default=())
"""The words of the command line that runs."""


class Commands(TyperGroup):
    """The group of all commands."""

    def __init__(self, **settings: Any):
        super().__init__(**settings)
        self.commands = Loaded()  # type: ignore[assignment]  # read only

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep the words, by which `terminal.told` knows the files that somebody named."""
        WORDS.set(tuple(args))
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002  (the base class names it)
        return list(PLACES)
