"""Why two records are, or are not, taken for one publication, in words for a person."""

from __future__ import annotations

from livereview.dedup.blocks import block_keys
from livereview.dedup.match import RULES_VERSION, Judgement, judge
from livereview.dedup.team import NO_TEAM, TeamRules
from livereview.dedup.text import Features, features
from livereview.links import WORDS
from livereview.records import Record, Related

FIELDS = (
    "title",
    "names",
    "year",
    "journal",
    "issn",
    "volume",
    "issue",
    "pages",
    "doi",
    "pmid",
    "pmcid",
    "part",
    "notice",
    "registration",
    "trial",
    "related",
)


def explain(a: Record, b: Record, team: TeamRules = NO_TEAM) -> str:
    """The verdict, the rule, the keys under which the two meet, and each field as it was compared,
    one to a line.
    """
    one, two = features(a), features(b)
    found = judge(one, two, team)
    shared = sorted(set(block_keys(one)) & set(block_keys(two)))
    lines = [
        f"{found.verdict}: {found.rule} (rule {found.name}, rules {RULES_VERSION})",
        f"because: {found.why}",
        *_what_they_are(found),
        *_of_the_team(one, two, team),
        "compared because they share: "
        + ("; ".join(shared) or "nothing, so the service would not compare them"),
    ]
    for name in FIELDS:
        left, right = _shown(one, name), _shown(two, name)
        if left or right:
            score = found.scores.get({"names": "authors"}.get(name, name))
            lines.append(
                f"{name:8}{'' if score is None else format(score, '.2f'):>6}  {left or '-'} | {right or '-'}"
            )
    return "\n".join(lines)


def _what_they_are(found: Judgement) -> list[str]:
    """What two linked records are to each other."""
    if found.kind is None:
        return []
    return [f"they are: {WORDS[found.kind]} ({found.kind})"]


def _of_the_team(a: Features, b: Features, team: TeamRules) -> list[str]:
    """Where names of places agree by a team's word only, and what its teams never merge."""
    lines = []
    if a.journal != b.journal and team.placed(a).journal == team.placed(b).journal:
        lines.append(f"the team's rule: {a.journal} and {b.journal} are one series (same_series)")
    if team.never:
        lines.append(f"teams never merge where these differ: {', '.join(team.never)} (never_merge)")
    return lines


def _shown(f: Features, name: str) -> str:
    value = getattr(f, name)
    if isinstance(value, frozenset):
        return "; ".join(sorted(value))
    if isinstance(value, tuple):
        return "; ".join(_part(part) for part in value if part)
    return str(value or "")


def _part(part: object) -> str:
    if isinstance(part, Related):
        return f"{part.kind} {part.id}"
    return str(part)
