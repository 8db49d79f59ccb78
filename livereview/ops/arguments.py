"""Plain JSON data on its way to a use case: a value of the wrong kind is refused by name, and never
met as a bug.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from inspect import signature
from typing import Any, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError

from livereview.errors import Refused
from livereview.rights import Principal

# a time beyond them is a mistake, and a month more may be no date at all
EARLIEST_YEAR, LATEST_YEAR = 1900, 2200
DEEPEST = 50  # lists and objects within each other; an extraction has six


def time(name: str, text: Any) -> datetime:
    """The time that an argument says, with its zone; raises Refused."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise Refused(
            f"{name}: {text!r} is not an ISO time such as 2026-03-01T02:00+00:00"
        ) from None
    if moment.tzinfo is None:
        raise Refused(f"{name}: {text!r} has no time zone; add +00:00 or Z")
    if not EARLIEST_YEAR <= moment.year < LATEST_YEAR:
        raise Refused(f"{name}: {text!r} is not between {EARLIEST_YEAR} and {LATEST_YEAR}")
    return moment


def value(name: str, given: Any) -> Any:
    """An argument as a use case takes it: {"base64": …} as bytes, all else as it is.

    Raises:
        Refused: text that no file can hold, a number that is none, or a value that is nested very
        deeply.
    """
    if isinstance(given, dict) and set(given) == {"base64"}:
        try:
            return base64.b64decode(given["base64"], validate=True)
        except (TypeError, ValueError):
            raise Refused("bytes must come as valid base64") from None
    _check_plain(name, given, DEEPEST)
    return given


def _check_plain(name: str, given: Any, depth: int) -> None:
    if isinstance(given, str):
        _check_text(name, given)
    elif isinstance(given, float) and not math.isfinite(given):
        raise Refused(f"{name}: {given} is no number")
    elif isinstance(given, dict | list):
        if not depth:
            raise Refused(f"{name}: it is nested more than {DEEPEST} times")
        parts = [*given, *given.values()] if isinstance(given, dict) else given
        for part in parts:
            _check_plain(name, part, depth - 1)


def _check_text(name: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Refused(
            f"{name}: character {error.start + 1} is half of one (a surrogate), which is no text"
        ) from None


def check(operation: str, use_case: Callable[..., Any], ready: Mapping[str, Any]) -> None:
    """Raise Refused where an argument is not of the kind that the use case says."""
    kinds = _kinds(use_case)
    for name, given in ready.items():
        if name not in kinds:
            continue
        try:
            kinds[name].validate_python(given)
        except ValidationError as problems:
            problem = problems.errors(include_input=False, include_url=False)[0]
            words = problem["msg"].removeprefix("Input should be ")
            raise Refused(f"{operation}: {name} must be {words}, not {_short(given)}") from None


def _short(given: Any) -> str:
    text = repr(given)
    return text if len(text) <= 60 else f"{text[:60]}…"


@lru_cache(maxsize=256)
def _kinds(use_case: Callable[..., Any]) -> dict[str, TypeAdapter[Any]]:
    """What can be checked of the arguments of a use case, which says itself what it takes of a
    Principal.
    """
    hints = get_type_hints(use_case)
    named = [name for name in signature(use_case).parameters if name != "store"]
    plain = {name: hints[name] for name in named if hints[name] is not Principal}
    config = ConfigDict(strict=True, arbitrary_types_allowed=True)
    return {name: TypeAdapter(hint, config=config) for name, hint in plain.items()}
