"""A file that was brought by mistake is taken back as a whole, and nothing that others found or did
with it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest

from livereview import ops
from livereview.errors import Refused
from livereview.ops import screen, search_list, status, surveil
from livereview.ops.protocols import protocol
from livereview.store import imports, standings
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, Browser, article, found

People = Callable[..., Browser]

RIS = "TY  - JOUR\nTI  - {title}\nAU  - Doe, Jane\nPY  - 2020\nDO  - 10.1000/{doi}\nER  - \n"


def ris(*works: tuple[str, str]) -> bytes:
    return "".join(RIS.format(title=title, doi=doi) for title, doi in works).encode()


FILE = ris(("Trial 1 of mentoring", "trial1"), ("Only in the file", "own"))


def bring(store: Store, body: bytes = FILE, name: str = "wrong.ris") -> dict[str, Any]:
    return surveil.import_file(store, review=REVIEW, source="ris", name=name, body=body, now=NOW)


def brought(store: Store) -> list[imports.Import]:
    with store.read() as con:
        return imports.listing(con, REVIEW)


def given(store: Store) -> dict[str, str]:
    (file, *_) = brought(store)
    return {"search": file.search, "name": file.name}


def take_back(store: Store, **asked: Any) -> dict[str, Any]:
    about = given(store) | asked
    return ops.acts.carry_out(
        store, id="back", kind="take_back_import", review=REVIEW, given=about, now=NOW
    )


def titles(store: Store) -> list[str]:
    with store.read() as con:
        rows = con.execute("SELECT title FROM listing ORDER BY title").fetchall()
    return [row[0] for row in rows]


def flow(store: Store) -> Any:
    return status.status(store, now=NOW, review=REVIEW)["reviews"][0]["flow"]


def waiting(store: Store) -> int:
    with store.read() as con:
        return len(standings.all_of(con, REVIEW))


def test_what_only_the_file_brought_leaves_and_comes_back(reviewed: Store) -> None:
    bring(reviewed, ris(("Trial 1 of mentoring", "trial1")), "right.ris")
    before = (titles(reviewed), waiting(reviewed), flow(reviewed))
    bring(reviewed)
    with_file = (titles(reviewed), waiting(reviewed), flow(reviewed))
    assert titles(reviewed) == ["Only in the file", "Trial 1 of mentoring"]
    told = ops.acts.preview(
        reviewed, kind="take_back_import", review=REVIEW, given=given(reviewed), now=NOW
    )
    assert told["title"] == "Take back import: wrong.ris"
    assert told["lines"][0] == "1 report that only this file brought leaves the review."
    assert told["lines"][1].startswith("Of its 2 records 1 are repeats or were found by other")
    assert (titles(reviewed), waiting(reviewed), flow(reviewed)) == with_file

    take_back(reviewed)
    assert (titles(reviewed), waiting(reviewed), flow(reviewed)) == before
    file, right = brought(reviewed)
    assert right.taken_back is None
    assert file.taken_back_by and file.taken_back == NOW
    with reviewed.read() as con:
        listed = search_list.search_list(con, protocol(con, REVIEW), NOW)
        assert standings.of(con, REVIEW, listing_of(con)) is not None
    assert [one.taken_back for one in listed.brought] == [NOW, None]

    ops.acts.take_back(reviewed, id="undo", act="back", review=REVIEW, now=NOW)
    assert (titles(reviewed), waiting(reviewed), flow(reviewed)) == with_file
    with pytest.raises(Refused):
        ops.acts.take_back(reviewed, id="again", act="back", review=REVIEW, now=NOW)


def test_a_terminal_takes_a_file_back_by_its_name(reviewed: Store) -> None:
    bring(reviewed)
    asked: dict[str, Any] = {"kind": "take_back_import", "review": REVIEW, "now": NOW}
    with pytest.raises(Refused, match=r"is called 'import: x\.ris'; .*wrong"):
        ops.acts.carry_out(reviewed, id="1", given={"name": "import: x.ris"}, **asked)
    ops.acts.carry_out(reviewed, id="2", given={"name": "import: wrong.ris"}, **asked)
    assert titles(reviewed) == []
    bring(reviewed)
    bring(reviewed, ris(("Another one", "another")))
    with pytest.raises(Refused, match="2 imports are called"):
        ops.acts.carry_out(reviewed, id="3", given={"name": "import: wrong.ris"}, **asked)


def listing_of(con: Any) -> str:
    return str(con.execute("SELECT report_id FROM listing").fetchone()[0])


def test_the_same_file_brought_again_counts_again(reviewed: Store) -> None:
    bring(reviewed)
    take_back(reviewed)
    assert titles(reviewed) == []
    again = bring(reviewed)
    assert again["known"] and len(titles(reviewed)) == 2 and waiting(reviewed) == 2
    bring(reviewed)
    assert [one.taken_back for one in brought(reviewed)] == [None]
    with pytest.raises(Refused, match="brought again since"):
        ops.acts.take_back(reviewed, id="undo", act="back", review=REVIEW, now=NOW)


def test_two_files_with_one_record_keep_it_until_both_are_taken_back(reviewed: Store) -> None:
    bring(reviewed)
    bring(reviewed, ris(("Only in the file", "own")), "other.ris")
    take_back(reviewed)
    assert len(titles(reviewed)) == 2
    older = brought(reviewed)[1]
    ops.acts.carry_out(
        reviewed,
        id="both",
        kind="take_back_import",
        review=REVIEW,
        given={"search": older.search, "name": older.name},
        now=NOW,
    )
    assert titles(reviewed) == []


def test_what_people_worked_on_is_not_taken_back(reviewed: Store) -> None:
    bring(reviewed)
    with reviewed.read() as con:
        record = con.execute(
            "SELECT record_id FROM record WHERE title = 'Only in the file'"
        ).fetchall()[0][0]
    screen.decide(
        reviewed,
        id="vote",
        review=REVIEW,
        record=record,
        stage="title_abstract",
        reviewer="ada",
        verdict="include",
        now=NOW,
    )
    with pytest.raises(
        Refused, match=r"people have worked on what import: wrong\.ris brought \(1 dec"
    ):
        take_back(reviewed)
    assert len(titles(reviewed)) == 2


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        ({"search": "nothing"}, "no such import"),
        ({"search": "s1"}, "no such import"),  # a search, and no import
        ({"name": "import: another"}, "has another name"),
    ],
)
def test_only_an_import_of_this_review_is_taken_back(
    reviewed: Store, asked: dict[str, str], refusal: str
) -> None:
    found(reviewed, article(1))
    bring(reviewed)
    with pytest.raises(Refused, match=refusal):
        take_back(reviewed, **asked)


def test_a_lead_takes_a_file_back_in_the_browser(reviewed: Store, browser: People) -> None:
    bring(reviewed)
    lena = browser("lena", "lead")
    (href,) = re.findall(r'href="([^"]*take_back_import[^"]*)"', lena.get(f"/r/{REVIEW}/searches"))
    page = lena.get(html.unescape(href))
    assert "2 reports that only this file brought leave the review." in page
    lena.press("Yes, do this")
    page = lena.get(f"/r/{REVIEW}/searches")
    assert "taken back" in page and "by lena" in page and "Take it back" not in page
    assert titles(reviewed) == []
