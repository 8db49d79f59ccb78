"""What people type reaches the use cases here: cleaned of what can't be seen, and refused where it
is too long.

A use case that takes text is marked `@typed`; one table says how long each of its arguments may be,
by name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from livereview import texts
from livereview.errors import Refused

P = ParamSpec("P")
R = TypeVar("R")

_NAME = 200  # ids, names of people, verdicts and the like
_SENTENCES = 5_000  # reasons and notes: a page

_NAMES = (
    *(
        "id",
        "review",
        "by",
        "reviewer",
        "reviewers",
        "person",
        "extractor",
        "author",
        "name",
        "label",
        "token",
    ),
    *(
        "role",
        "stage",
        "verdict",
        "kind",
        "outcome",
        "study",
        "proposal",
        "comment",
        "task",
        "account",
        "version",
    ),
    *("reviews", "records"),
)

LONGEST: Mapping[str, int] = {
    **dict.fromkeys(_NAMES, _NAME),
    **dict.fromkeys(("note", "reason", "not_asked", "no_resources", "changed"), _SENTENCES),
    "record": 1_000,  # an id, or a title
    "tags": 50,
    "about": 500,
    "text": 20_000,
    "title": 10_000,  # of a suggestion, which says in its own words that 500 are enough
    "link": 10_000,
    "address": 254,  # RFC 5321
    "email": 254,
}
SEVERAL_LINES = frozenset({"note", "reason", "not_asked", "no_resources", "changed", "text"})


def typed(use_case: Callable[P, R]) -> Callable[P, R]:
    """The use case with its texts cleaned first.

    Raises:
        Refused: a text is longer than LONGEST allows.
    """

    @wraps(use_case)
    def cleaned(*args: P.args, **arguments: P.kwargs) -> R:
        given = {name: _cleaned(name, value) for name, value in arguments.items()}
        return use_case(*args, **cast(Any, given))

    cleaned.__dict__["typed"] = True
    return cleaned


def _cleaned(name: str, value: object) -> object:
    if name not in LONGEST:
        return value
    if isinstance(value, str):
        return text(name, value)
    if isinstance(value, list | tuple):
        return type(value)(text(name, item) if isinstance(item, str) else item for item in value)
    return value


def text(name: str, value: str) -> str:
    """A typed text by the rule for its name; raises Refused where it is too long."""
    longest = LONGEST[name]
    if len(value) > longest:
        what = name.replace("_", " ")
        raise Refused(
            f"the {what} has {len(value):,} characters; at most {longest:,} are allowed: shorten it"
        )
    return texts.clean(value, name in SEVERAL_LINES)
