"""Full texts: found where they can be read without paying, added as files, and never served as a
page.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from livereview.errors import Refused
from livereview.ops import full_text
from livereview.settings import Settings
from livereview.store.open import Store
from livereview.surveillance.lookups import Known, askable
from tests.conftest import NOW, REVIEW, Browser, Forms, article, found
from tests.test_web_screen import FULL, vote

People = Callable[..., Browser]
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
ROOM = f"/r/{REVIEW}/full-text"


def at_full_text(store: Store, *news: object) -> str:
    record = found(store, *news)[0]  # type: ignore[arg-type]
    for person in ("bo", "cy"):
        vote(store, record, person, "include")
    return record


def send(person: Browser, body: bytes, name: str = "paper.pdf") -> object:
    person.get(FULL)
    one = next(
        form for form in Forms(person.page.text).all if str(form["action"]).endswith("/full-text")
    )
    person.page = person.http.post(
        one["action"], data=one["fields"], files={"file": (name, body, "application/pdf")}
    )
    return person.page


def test_a_pdf_is_added_seen_by_the_team_and_downloaded(
    reviewed: Store, browser: People, settings: Settings
) -> None:
    at_full_text(reviewed, article(1))
    ada = browser("ada")
    assert "Nobody has added a file yet" in ada.get(FULL)
    send(ada, PDF, "../../etc/The paper.pdf")
    send(ada, PDF, "again.pdf")
    assert ada.page.text.count("added by ada") == 1 and "The paper.pdf" in ada.page.text
    kept = list(settings.full_texts.iterdir())
    assert len(kept) == 1 and kept[0].read_bytes() == PDF
    page = browser("bo").http.get(f"{ROOM}/{kept[0].stem}")
    assert page.content == PDF and page.headers["content-type"] == "application/pdf"
    assert page.headers[
        "content-disposition"
    ] == 'attachment; filename="The paper.pdf"' or "The%20paper.pdf" in str(
        page.headers["content-disposition"]
    )
    assert page.headers["content-security-policy"].startswith("sandbox")
    assert page.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not a whole PDF"),
        (b"<html><script>alert(1)</script>", "not a whole PDF"),
        (PDF[:-10], "not a whole PDF"),
        (PDF + b" " * 20_000_000 + b"%%EOF", "the limit is 20 MB"),
    ],
)
def test_what_is_no_pdf_is_refused_and_nothing_is_kept(
    reviewed: Store, browser: People, settings: Settings, body: bytes, why: str
) -> None:
    at_full_text(reviewed, article(1))
    ada = browser("ada")
    send(ada, body)
    assert ada.page.status_code in (413, 422) and why in ada.page.text
    assert not settings.full_texts.exists() or list(settings.full_texts.iterdir()) == []


def test_a_file_of_another_review_or_none_is_not_there(
    reviewed: Store, browser: People, settings: Settings
) -> None:
    record = at_full_text(reviewed, article(1))
    ada = browser("ada")
    for name in ("0" * 64, "x", "..%2Fx"):
        assert ada.http.get(f"{ROOM}/{name}").status_code == 404
    with pytest.raises(Refused, match="is not in review"):
        full_text.attach(
            reviewed,
            settings.full_texts,
            id="x",
            review=REVIEW,
            record=f"{record}0",
            name="a.pdf",
            body=PDF,
            author="ada",
            now=NOW,
        )


def test_the_open_copy_that_unpaywall_knows_is_a_link(reviewed: Store, browser: People) -> None:
    copy = article(
        1,
        source="unpaywall",
        source_key="10.1000/trial1",
        url="https://repository.example.org/1.pdf",
    )
    record = at_full_text(reviewed, article(1))
    reviewed.write(
        lambda con: (
            con.execute(
                "INSERT INTO report VALUES (?, ?), (?, ?)", [record, record, copy.record_id, record]
            ),
        )
    )
    found(reviewed, copy, search="s2")
    assert 'href="https://repository.example.org/1.pdf"' in browser("ada").get(FULL)


def test_unpaywall_is_asked_about_what_is_sought_only() -> None:
    assert askable(Known("r1", "10.1/a", None, sought=True), "unpaywall")
    assert not askable(Known("r1", "10.1/a", None, sought=False), "unpaywall")
    assert not askable(Known("r1", None, "12", sought=True), "unpaywall")
