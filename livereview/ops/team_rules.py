"""The rules of deduplication that the teams of this server have in their protocols.

Reports are shared by all reviews, and so are these rules: what one team never merges is doubtful for
all, and a series that has two names for one team has them for all.
"""

from __future__ import annotations

import tomllib
from functools import lru_cache

from livereview.dedup.team import TeamRules, team_rules
from livereview.store import searches
from livereview.store.open import Connection

TABLE = "dedup"
KEPT = 512  # protocols whose rules are remembered: a server has hundreds, each read at every page


def in_force(con: Connection) -> TeamRules:
    """The rules of all protocols in force."""
    never: list[str] = []
    series: list[str] = []
    for text in searches.protocols_in_force(con).values():
        if TABLE in text:
            rules = _of(text)
            never += rules[0]
            series += rules[1]
    return team_rules(never, sorted(series))


@lru_cache(maxsize=KEPT)
def _of(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(never_merge, same_series) of a protocol, which was checked when it was put in force."""
    table = tomllib.loads(text).get(TABLE, {})
    return tuple(table.get("never_merge", ())), tuple(table.get("same_series", ()))
