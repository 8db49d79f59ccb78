"""docs/sentences.md: every first sentence that can be told of a finding, made from the table of
words itself.

python -m tests.sentences writes it anew; a test holds it to the table.
"""

from __future__ import annotations

from pathlib import Path

from livereview.evidence import claims
from livereview.evidence.wording import CLASSES, LEVELS, template
from livereview.review import OUTCOME_KINDS

PLACE = Path(__file__).resolve().parents[1] / "docs" / "sentences.md"

HEAD = f"""# The first sentence of a finding

Rule `{claims.RULE}`, version {claims.VERSION} (its own, then its words'): by what a finding shows, how certain it
is, and of what kind the outcome is where that changes the words. `unrated` is what is said before anybody has rated it.
Made by `python -m tests.sentences` from `livereview/evidence/wording.py`; do not edit. Size, studies and the reasons of
the certainty follow in sentences of their own.
"""


def text() -> str:
    """The whole file."""
    parts = [HEAD]
    for finding_class in CLASSES:
        parts.append(f"## {_words(finding_class).capitalize()}\n")
        for kinds in _alike(finding_class):
            parts.append(_table(finding_class, kinds))
    return "\n".join(parts)


def _alike(finding_class: str) -> list[list[str]]:
    """The kinds of outcome, those together whose sentences of this class are the same."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for kind in OUTCOME_KINDS:
        sentences = tuple(template(finding_class, level, kind) for level in LEVELS)
        groups.setdefault(sentences, []).append(kind)
    return list(groups.values())


def _table(finding_class: str, kinds: list[str]) -> str:
    """The sentences of one class for these kinds of outcome, a row a certainty."""
    rows = [f"| {_words(level)} | {template(finding_class, level, kinds[0])} |" for level in LEVELS]
    about = f"Of {', '.join(map(_words, kinds))}:"
    lines = ["| certainty | sentence |", "|---|---|", *rows, ""]
    if len(kinds) < len(OUTCOME_KINDS):
        lines = [about, "", *lines]
    return "\n".join(lines)


def _words(id: str) -> str:
    return id.replace("_", " ")


if __name__ == "__main__":
    PLACE.parent.mkdir(exist_ok=True)
    PLACE.write_text(text(), encoding="utf-8")
