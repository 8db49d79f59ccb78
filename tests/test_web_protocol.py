"""A review is made and changed in the browser, step by step, with names and reasons kept."""

from __future__ import annotations

import re
from collections.abc import Callable

from livereview.ops import protocol_drafts, surveil
from livereview.ops.protocols import protocol
from livereview.review_toml import edit
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, Browser, Forms

SignIn = Callable[..., Browser]
PARTS = ("text", "population", "intervention", "comparator", "outcomes", "context")
TYPED = (  # what a lead types into each step
    {"authors": "Jane Doe", **{f"question.{part}": f"The {part}" for part in PARTS}},
    {"criteria.include.0.text": "Care leavers"},
    {"outcomes.0.label": "Homelessness", "outcomes.0.better": "lower"},
    {
        "searches.0.source": "openalex",
        "searches.0.platform": "OpenAlex",
        "searches.0.query": '"care leavers" AND mentor*',
    },
    {},
    {},
)


def send(lead: Browser, button: str, **typed: str) -> str:
    """Press a button of the page with what stands in its boxes, unless it is typed over."""
    form = next(one for one in Checked(lead.page.text).all if button in one["buttons"])
    filled = {**form["fields"], **form["buttons"][button]}
    lead.page = lead.http.post(form["action"], data={**filled, **typed})
    return lead.page.text


class Checked(Forms):
    """The forms of a page, without the boxes that nobody has ticked: no browser sends them."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        ticks = tag == "input" and has.get("type") in ("checkbox", "radio")
        if not ticks or "checked" in has:
            super().handle_starttag(tag, attrs)


def test_a_lead_makes_a_review_in_six_steps(browser: SignIn, reviewed: Store) -> None:
    lead = browser("lena", "lead")
    assert 'href="/new"' in lead.get("/")
    lead.get("/new")
    assert "give the review a title" in send(lead, "Begin", beginning="empty", title="")
    assert "already" in send(lead, "Begin", beginning="empty", title="X", review=REVIEW)
    send(lead, "Begin", beginning="empty", title="Mentoring: a living review", review="")
    draft = str(lead.page.url).rsplit("/", 1)[0]
    assert "This is needed" not in lead.page.text  # nobody had a chance to write it yet

    # what is missing is said once it was saved, and what was typed is kept
    send(lead, "Keep it and go on", authors="Jane Doe")
    assert lead.page.text.count("This is needed.") == len(PARTS)
    assert "Jane Doe</textarea>" in lead.page.text
    assert "things are to be written or mended first" in lead.get(f"{draft}/check")
    assert (
        f"{draft.removeprefix('http://testserver')}/criteria?all=1#criteria-include"
        in lead.page.text
    )

    lead.get(f"{draft}/question")
    for typed in TYPED:
        send(lead, "Keep it and go on", **typed)
    assert str(lead.page.url) == f"{draft}/check"
    assert "Everything is there" in lead.page.text
    with reviewed.read() as con:
        assert "mentoring-a-living-review" not in str(surveil.searches.review_ids(con))

    # it can be gone on with later
    assert draft.removeprefix("http://testserver") in lead.get("/new")
    lead.get(f"{draft}/check")
    send(lead, "Make the review", reason="Agreed on Monday")
    assert str(lead.page.url).endswith("/r/mentoring-a-living-review/protocol?done=made")
    assert "Agreed on Monday" in lead.page.text and "lena" in lead.page.text
    with reviewed.read() as con:
        made = protocol(con, "mentoring-a-living-review")
    assert made.searches[0].query == '"care leavers" AND mentor*'
    assert "# a changed conclusion waits" in made.text  # comments stay
    assert lead.http.get(f"{draft}/check").status_code == 404
    assert "Mentoring: a living review" in lead.get("/")


def test_the_other_ways_to_begin(browser: SignIn, protocol: str) -> None:
    lead = browser("lena", "lead")
    lead.get("/new")
    send(lead, "Begin", beginning="copy", copied=REVIEW, title="A copy", review="a-copy")
    draft = str(lead.page.url).rsplit("/", 1)[0]
    assert "Everything is there" in lead.get(f"{draft}/check")
    assert "a-copy" in lead.page.text
    lead.get("/new")
    send(lead, "Begin", beginning="example", title="From the example")
    assert 'value="From the example"' in lead.page.text

    lead.get("/new")
    action, filled = lead.form("Begin")
    text = protocol.replace(REVIEW, "from-a-file").encode()
    sent = {**filled, "beginning": "file", "title": ""}
    lead.page = lead.http.post(action, data=sent, files={"file": ("review.toml", text)})
    draft = str(lead.page.url).rsplit("/", 1)[0]
    assert "<code>from-a-file</code>" in lead.get(f"{draft}/check")
    lead.get("/new")
    broken = lead.http.post(
        "/new", data={**lead.form("Begin")[1], "beginning": "file"}, files={"file": ("a", b"x = ")}
    )
    assert broken.status_code == 422 and "no TOML" in broken.text

    # drafts are their author's alone
    other = browser("omar", "lead")
    assert other.http.get(f"{draft}/question").status_code == 404
    lead.get(f"{draft}/check")
    send(lead, "Give this draft up")
    assert lead.http.get(f"{draft}/question").status_code == 404


def test_a_change_is_told_named_compared_and_taken_back(
    browser: SignIn, reviewed: Store, protocol: str
) -> None:
    lead, base = browser("lena", "lead"), f"/r/{REVIEW}/protocol"
    assert "from a file" in lead.get(base)
    send(lead, "Change it")
    assert "is what is in force, letter by letter" in lead.get(f"{base}/check")

    # the text and the boxes are one draft
    lead.get(f"{base}/edit/criteria")
    send(lead, "Keep it", **{"criteria.include.0.text": "Other people"})
    assert "Other people" in lead.get(f"{base}/edit/text")
    broken = protocol.replace('id = "', "id = ", 1)
    send(lead, "Keep it and check", text=broken)
    assert "line 1" in lead.page.text or "line" in lead.page.text
    assert lead.get(f"{base}/edit/question") and str(lead.page.url).endswith("/edit/text")
    send(lead, "Keep it and check", text=protocol.replace(f'"{REVIEW}"', '"another-id"', 1))
    assert "never changes" in lead.page.text
    changed = edit.with_values(protocol, {("criteria", "include", 0, "text"): "Other people"})
    lead.get(f"{base}/edit/text")
    send(lead, "Keep it and check", text=changed)

    # criteria that change need another version; the reason is asked for
    assert "their version is still" in lead.page.text
    send(lead, "Make it version 2026-02 of the criteria")
    assert "their version is still" not in lead.page.text
    assert "Other people" in lead.page.text and "Nobody’s decision is touched." in lead.page.text
    assert "Say why" in send(lead, "Put it in force", reason=" ")
    send(lead, "Put it in force", reason="As the board asked")
    assert str(lead.page.url).endswith("?done=changed")
    assert "As the board asked" in lead.page.text and "criteria version 2026-02" in lead.page.text

    # what changed, and back again
    link = re.search(r'href="([^"]*/compare[^"]*)"', lead.page.text)
    assert link is not None
    assert "Other people" in lead.get(link[1].replace("&amp;", "&"))
    lead.get(base)
    send(lead, "See what going back to this does")
    send(lead, "Put it in force", reason="It was wrong")
    with reviewed.read() as con:
        past = protocol_drafts.history(con, REVIEW)
    assert [one.author for one in past][:2] == ["lena", "lena"]
    assert past[0].text == past[2].text == protocol
    assert "Put a protocol in force" in lead.get(f"/r/{REVIEW}/acts")


def test_a_draft_that_another_tab_saved_is_not_written_over(browser: SignIn) -> None:
    lead, base = browser("lena", "lead"), f"/r/{REVIEW}/protocol"
    lead.get(base)
    send(lead, "Change it")
    first = lead.page
    send(lead, "Keep it", title="The first title")
    lead.page = first
    page = send(lead, "Keep it and go on", title="The second title")
    assert lead.page.status_code == 409
    assert 'value="The second title"' in page and "saved elsewhere" in page
    send(lead, "Keep it", title="The second title")
    assert 'value="The second title"' in lead.get(f"{base}/edit/question")


def test_a_protocol_that_came_meanwhile_is_seen_before_it_is_replaced(
    browser: SignIn, reviewed: Store, protocol: str
) -> None:
    lead, base = browser("lena", "lead"), f"/r/{REVIEW}/protocol"
    lead.get(base)
    send(lead, "Change it")
    send(lead, "Keep it", title="Mine")
    shown = lead.http.get(f"{base}/check")
    surveil.register(reviewed, text=edit.with_values(protocol, {("licence",): "CC0"}), now=NOW)
    lead.page = shown
    page = send(lead, "Put it in force", reason="Mine is better")
    assert lead.page.status_code == 422 and "compare again" in page
    assert "Another protocol has come into force" in page and "CC0" in page
    omar = browser("omar", "lead")
    assert "lena has a draft of a change" in omar.get(base)


def test_only_leads_of_the_whole_server_make_reviews(browser: SignIn) -> None:
    reviewer = browser("rita")
    assert 'href="/new"' not in reviewer.get("/")
    assert reviewer.http.get("/new").status_code == 403
    assert reviewer.http.get(f"/r/{REVIEW}/protocol").status_code == 403
