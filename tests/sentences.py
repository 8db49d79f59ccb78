"""docs/sentences.md: every first sentence that can be told of a finding, made from the table of
words itself.

python -m tests.sentences writes it anew; a test holds it to the table.
"""

from __future__ import annotations

from pathlib import Path

from livereview.evidence.wording import CLASSES, LEVELS, TABLE, WORDING_VERSION

PLACE = Path(__file__).resolve().parents[1] / "docs" / "sentences.md"

HEAD = f"""# The first sentence of a finding

Words, version {WORDING_VERSION}: by what a finding shows and how certain it is. `unrated` is what is said before
anybody has rated it. Made by `python -m tests.sentences` from `livereview/evidence/wording.py`; do not edit. Size,
studies and the reasons of the certainty follow in sentences of their own.
"""


def text() -> str:
    """The whole file."""
    parts = [HEAD]
    for kind in CLASSES:
        rows = [f"| {level.replace('_', ' ')} | {TABLE[kind][level]} |" for level in LEVELS]
        title = kind.replace("_", " ").capitalize()
        parts.append(
            "\n".join([f"## {title}", "", "| certainty | sentence |", "|---|---|", *rows, ""])
        )
    return "\n".join(parts)


if __name__ == "__main__":
    PLACE.parent.mkdir(exist_ok=True)
    PLACE.write_text(text(), encoding="utf-8")
