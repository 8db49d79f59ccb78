"""Why two records are, or are not, taken for one publication, in words for a person."""

from __future__ import annotations

from livereview.dedup.blocks import block_keys
from livereview.dedup.match import RULES_VERSION, judge
from livereview.dedup.text import Features, features
from livereview.records import Record

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
)


def explain(a: Record, b: Record) -> str:
    """The verdict, the rule, the keys under which the two meet, and each field as it was compared,
    one to a line.
    """
    one, two = features(a), features(b)
    found = judge(one, two)
    shared = sorted(set(block_keys(one)) & set(block_keys(two)))
    lines = [
        f"{found.verdict}: {found.rule} (rule {found.name}, rules {RULES_VERSION})",
        f"because: {found.why}",
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


def _shown(f: Features, name: str) -> str:
    value = getattr(f, name)
    return "; ".join(filter(None, value)) if isinstance(value, tuple) else str(value or "")
