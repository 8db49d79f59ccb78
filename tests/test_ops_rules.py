"""A version that other rules made is never made again by today's: its own bytes are kept, or
nothing.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from livereview.errors import Refused
from livereview.ops import as_of, publish, published_files
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW


@pytest.fixture
def old(reviewed: Store, tmp_path: Path) -> Path:
    """A review whose only version was made by the rules before: its folder and its event say so."""
    publish.publish(reviewed, review=REVIEW, folder=tmp_path, now=NOW)
    folder = tmp_path / REVIEW / "v" / "1"
    summary = json.loads((folder / "summary.json").read_text("utf-8"))
    summary["version"]["rules"] = "direction-of-effect-1.3"
    summary["outcomes"] = summary.pop("findings")
    text = json.dumps(summary, ensure_ascii=False)
    (folder / "summary.json").write_text(text, "utf-8")
    sums = (folder / "SHA256SUMS").read_text("utf-8").splitlines()
    digest = hashlib.sha256(text.encode()).hexdigest()
    lines = [
        f"{digest}  summary.json" if line.endswith("  summary.json") else line for line in sums
    ]
    (folder / "SHA256SUMS").write_text("\n".join(lines) + "\n", "utf-8")
    reviewed.write(
        lambda con: con.execute(
            "UPDATE version SET content_hash = 'by other rules', summary = ?", [text]
        )
    )
    return tmp_path


def test_as_of_gives_the_bytes_that_were_published(reviewed: Store, old: Path) -> None:
    done = as_of.as_of(reviewed, review=REVIEW, moment=NOW, folder=old, now=NOW)
    assert published_files.read(Path(done["folder"])) == published_files.read(
        old / REVIEW / "v" / "1"
    )


def test_without_these_bytes_it_refuses_with_the_reason(reviewed: Store, old: Path) -> None:
    (old / REVIEW / "v" / "1" / "index.html").unlink()
    with pytest.raises(
        Refused, match=r"made by rules that this service no longer has.*index.html is missing"
    ):
        as_of.as_of(reviewed, review=REVIEW, moment=NOW, folder=old, now=NOW)


def test_the_page_of_other_rules_stands_until_a_lead_signs_the_new_words(
    reviewed: Store, old: Path
) -> None:
    before = (old / REVIEW / "latest").resolve()
    done = publish.publish(reviewed, review=REVIEW, folder=old, now=NOW)
    assert (done["new"], done["version"], done["held"]["change"]) == (False, 1, "now_shows")
    assert (old / REVIEW / "latest").resolve() == before
    publish.sign(reviewed, id="s", review=REVIEW, by="lena", now=NOW)
    done = publish.publish(reviewed, review=REVIEW, folder=old, now=NOW)
    assert (done["new"], done["version"]) == (True, 2)
