"""At full text one decision may stand for the reports of one study, where the reviewer says so."""

from __future__ import annotations

from collections.abc import Callable

from livereview.ops import screen
from livereview.store import decisions, records
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, Browser, article, found
from tests.test_web_screen import vote

People = Callable[..., Browser]
FULL = f"/r/{REVIEW}/screen/full_text"


def at_full_text(store: Store, count: int) -> list[str]:
    ids = found(store, *(article(number) for number in range(count)))
    for record in ids:
        for person in ("bo", "cy"):
            vote(store, record, person, "include")
    return ids


def said(store: Store, record: str) -> list[str]:
    with store.read() as con:
        return [one["verdict"] for one in decisions.on_report(con, REVIEW, record, "full_text")]


def test_linked_reports_are_decided_together_where_ticked(reviewed: Store, browser: People) -> None:
    one, two, three, other = at_full_text(reviewed, 4)
    for n, right in enumerate((two, three)):
        screen.judge(
            reviewed, id=f"j{n}", left=one, right=right, verdict="linked", person="lena", now=NOW
        )
    ada = browser("ada")
    page = ada.get(f"{FULL}?record={one}")
    assert "Seems to be the same study" in page and page.count('name="together"') == 2
    _, fields = ada.form("Include")
    ada.http.post(
        f"/r/{REVIEW}/decide", data=fields | {"verdict": "include", "together": [two, other]}
    )
    assert [said(reviewed, record) for record in (one, two, three, other)] == [
        ["include"],
        ["include"],
        [],
        [],
    ]
    ada.http.post(f"/r/{REVIEW}/decide", data=fields | {"verdict": "include", "together": [two]})
    assert said(reviewed, two) == ["include"], "the same form twice is one decision each"


def test_a_linked_report_that_reads_otherwise_by_now_is_not_decided_unseen(
    reviewed: Store, browser: People
) -> None:
    one, two, late = at_full_text(reviewed, 3)
    screen.judge(reviewed, id="j", left=one, right=two, verdict="linked", person="lena", now=NOW)
    ada = browser("ada")
    ada.get(f"{FULL}?record={one}")
    _, fields = ada.form("Include")
    screen.judge(reviewed, id="k", left=one, right=late, verdict="linked", person="lena", now=NOW)
    changed = article(1, title="What trial 1 said, corrected")
    reviewed.write(lambda con: records.append(con, [changed], "1" * 64, NOW))
    sent = fields | {"verdict": "include", "together": [two, late]}
    answer = ada.http.post(f"/r/{REVIEW}/decide", data=sent).text
    assert "Not decided with it, please see to it" in answer
    assert [said(reviewed, record) for record in (one, two, late)] == [["include"], [], []]


def test_without_a_link_nothing_is_offered_and_nothing_else_is_decided(
    reviewed: Store, browser: People
) -> None:
    one, two = at_full_text(reviewed, 2)
    ada = browser("ada")
    assert "Seems to be the same study" not in ada.get(f"{FULL}?record={one}")
    _, fields = ada.form("Include")
    ada.http.post(f"/r/{REVIEW}/decide", data=fields | {"verdict": "include", "together": [two]})
    assert (said(reviewed, one), said(reviewed, two)) == (["include"], [])


def test_what_i_decided_already_is_not_offered_again(reviewed: Store, browser: People) -> None:
    one, two = at_full_text(reviewed, 2)
    screen.judge(reviewed, id="j", left=one, right=two, verdict="linked", person="lena", now=NOW)
    vote(reviewed, two, "ada", "include", stage="full_text")
    assert "Seems to be the same study" not in browser("ada").get(f"{FULL}?record={one}")
