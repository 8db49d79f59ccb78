"""Rules that a team adds for its field: where records are never merged, and names that mean one
series.

They stand over the table of `rules` in one direction each: a difference that the team names turns
"same" into "doubtful", and names of one series agree where they would contradict. No rule of a
team's makes "same" of what has too little in common.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from livereview.dedup.pair import Pair
from livereview.dedup.rules import Rule
from livereview.dedup.text import Features, journal

TEAM_SAYS = "the team's rule:"  # how the words of a team's rule begin, in stored verdicts too
PARTED_BY = "="  # the names of one series, in a line: "Campbell Reviews = The Campbell Library"


def _other_year(pair: Pair) -> bool:
    return pair.a.year is not None and pair.b.year is not None and pair.a.year != pair.b.year


def _other_type(pair: Pair) -> bool:
    return bool(pair.a.form and pair.b.form) and pair.a.form != pair.b.form


# What may differ, as review.toml names it, and when it does: both records must know it.
DIFFERENCES: Mapping[str, Callable[[Pair], bool]] = {
    "year": _other_year,
    "volume": lambda pair: pair.scores.volume == 0,
    "issue": lambda pair: pair.scores.issue == 0,
    "pages": lambda pair: pair.scores.pages == 0,
    "place": lambda pair: pair.other_journal,
    "type": _other_type,
}


def _never(name: str) -> Rule:
    return Rule(
        f"team-never-{name}",
        "doubtful",
        f"{TEAM_SAYS} never merged by rule where the {name} differs",
        DIFFERENCES[name],
        "A team put this into its protocol (never_merge); a person decides.",
    )


_NEVER = {name: _never(name) for name in DIFFERENCES}


def keeps_apart(words: str) -> bool:
    """Whether a verdict in these words is a team's, which no third record may bridge."""
    return words.startswith(TEAM_SAYS)


@dataclass(frozen=True, slots=True)
class TeamRules:
    """The rules of the teams whose records are compared.

    Attributes:
        never: Names of DIFFERENCES.
        places: For each name of a series, as `text.journal` writes it, the one that stands for all.
    """

    never: tuple[str, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)

    def placed(self, record: Features) -> Features:
        """The record with the name that stands for all of its series."""
        if not self.places:
            return record
        name = self.places.get(record.journal, record.journal)
        if name == record.journal:
            return record
        return replace(record, journal=name)

    def judged(self, pair: Pair, rule: Rule) -> Rule:
        """The rule that decides where the team's are heard too."""
        if rule.verdict != "same":
            return rule
        return next((_NEVER[name] for name in self.never if _NEVER[name].when(pair)), rule)


NO_TEAM = TeamRules()


def team_rules(never: Iterable[str], series: Iterable[str]) -> TeamRules:
    """The rules of all teams together; a name of two series stands for both."""
    wanted = set(never)
    places: dict[str, str] = {}
    for line in series:
        names = [journal(name.strip().lower()) for name in line.split(PARTED_BY)]
        first = next((places[name] for name in names if name in places), names[0])
        merged = {places[name] for name in names if name in places}
        places = {name: first if other in merged else other for name, other in places.items()}
        places.update(dict.fromkeys(names, first))
    return TeamRules(tuple(name for name in DIFFERENCES if name in wanted), places)
