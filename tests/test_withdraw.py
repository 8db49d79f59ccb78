"""A withdrawn version: what its address, latest, feeds and lists say, and that the folders always
follow the events.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import feedparser
import pytest
from fastapi import FastAPI

from livereview import ops
from livereview.commands import Withdraw
from livereview.errors import Refused
from livereview.ops import as_of, notices, publish, surveil, withdraw
from livereview.settings import Settings
from livereview.store import withdrawals
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, TestClient, article, found
from tests.test_ops import include
from tests.test_ops_as_of import HOUR, extract, read
from tests.test_web_guard import People

WHY = "A study was counted <twice>."


@pytest.fixture
def site(reviewed: Store, settings: Settings) -> Path:
    """Two versions, an hour apart, of one study and of two that say the same."""
    settings.site.mkdir()
    for record in found(reviewed, *(article(number) for number in range(1, 5))):
        include(reviewed, record)
    extract(reviewed, 1, NOW)
    build(reviewed, settings.site, NOW)
    extract(reviewed, 2, NOW + HOUR)
    build(reviewed, settings.site, NOW + HOUR)
    return settings.site


def build(store: Store, site: Path, now: datetime) -> dict[str, Any]:
    """Publish, and sign what is held."""
    told = publish.publish(store, review=REVIEW, folder=site, now=now)
    if told.get("held"):
        publish.sign(store, id=f"sign-{now}", review=REVIEW, by="lena", now=now)
        told = publish.publish(store, review=REVIEW, folder=site, now=now)
    return told


def gone(
    store: Store, site: Path, version: int, now: datetime = NOW + 2 * HOUR, id: str = "w"
) -> dict[str, Any]:
    act: dict[str, Any] = {
        "id": id,
        "review": REVIEW,
        "version": version,
        "by": "lena",
        "reason": WHY,
        "folder": site,
        "now": now,
    }
    return withdraw.withdraw(store, **act)


def back(store: Store, site: Path, version: int, now: datetime = NOW + 3 * HOUR) -> dict[str, Any]:
    act: dict[str, Any] = {
        "id": "b",
        "review": REVIEW,
        "version": version,
        "by": "lena",
        "reason": "It was right.",
    }
    return withdraw.take_back(store, **act, folder=site, now=now)


def data(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_an_older_version_becomes_a_tombstone(reviewed: Store, site: Path) -> None:
    kept = (site / REVIEW / "v" / "1" / "summary.json").read_bytes()
    assert gone(reviewed, site, 1)["published"]["version"] == 2
    grave = site / REVIEW / "v" / "1"
    assert sorted(read(grave)) == [
        "SHA256SUMS",
        "embed.html",
        "embed.js",
        "index.html",
        "tombstone.json",
    ]
    told = data(grave / "tombstone.json")
    assert (told["withdrawn"], told["reason"], told["date"], told["superseded_by"]) == (
        True,
        WHY,
        "2026-03-02T11:00:00Z",
        2,
    )
    assert told["summary_sha256"] == hashlib.sha256(kept).hexdigest() and "lena" not in str(
        read(grave)
    )
    page = (grave / "index.html").read_text(encoding="utf-8")
    assert (
        "Version 1 was withdrawn" in page
        and "counted &lt;twice&gt;." in page
        and 'href="../../v/2/"' in page
    )
    assert "on 2 March 2026 by the lead of the review" in page


def test_latest_and_the_lists_say_so_and_nothing_else_changes(reviewed: Store, site: Path) -> None:
    latest, second = site / REVIEW / "latest", read(site / REVIEW / "v" / "2")
    before = data(latest / "summary.json")
    gone(reviewed, site, 1)
    after = data(latest / "summary.json")
    assert after["version"] == before["version"] and read(site / REVIEW / "v" / "2") == second
    assert (
        after["versions"][1]["withdrawn"]["reason"] == WHY
        and "withdrawn" not in after["versions"][0]
    )
    page = (latest / "index.html").read_text(encoding="utf-8")
    assert "Withdrawn on 2 March 2026." in page and "version 1</a>, which was withdrawn" in page
    (row,) = data(site / "index.json")["reviews"]
    assert [one["version"] for one in row["withdrawn"]] == [1] and row["answer"] == after["answer"][
        "text"
    ]
    assert "withdrawn: version 1 on 2 March 2026" in (site / "index.html").read_text(
        encoding="utf-8"
    )


def test_the_feeds_have_an_entry_of_its_own_and_no_words_of_the_withdrawn_version(
    reviewed: Store, site: Path
) -> None:
    latest = site / REVIEW / "latest"
    said = data(latest / "summary.json")["answer"]["text"]
    before = feedparser.parse((latest / "changes.atom").read_bytes()).entries
    gone(reviewed, site, 2)
    feed = feedparser.parse((latest / "changes.atom").read_bytes())
    assert not feed.bozo and feed.feed.updated == "2026-03-02T11:00:00Z"
    act, second, first = feed.entries
    assert act.id == f"tag:livereview,2026:{REVIEW}/v/2/withdrawn/2026-03-02T11:00:00Z"
    assert [tag.term for tag in act.tags] == ["version-withdrawn"] and WHY in act.summary
    assert (
        second.id == before[0].id and said not in second.summary and second.updated == act.updated
    )
    assert first == before[1]
    items = data(latest / "changes.json")["items"]
    assert [one["id"] for one in items] == [one.id for one in feed.entries]
    assert items[0]["tags"] == ["version-withdrawn"] and items[1]["date_modified"] == act.updated
    back(reviewed, site, 2)
    again = feedparser.parse((latest / "changes.atom").read_bytes()).entries
    assert [one.tags[0].term for one in again[:2]] == ["version-reinstated", "version-withdrawn"]
    assert again[1] == act and again[2:] == before


def test_latest_is_a_notice_while_the_newest_version_is_withdrawn(
    reviewed: Store, site: Path
) -> None:
    latest = site / REVIEW / "latest"
    summary = data(latest / "summary.json")
    said, (finding,) = summary["answer"]["text"], summary["findings"]
    gone(reviewed, site, 2)
    files = read(latest)
    assert sorted(files) == [
        *(
            "SHA256SUMS",
            "changes.atom",
            "changes.json",
            "embed.html",
            "embed.js",
            "index.html",
            "tombstone.json",
        ),
    ]
    figures = finding["estimate_display"].encode()
    assert figures not in b"".join(files.values()), "what only this version said"
    telling = {
        name: content.count(said.encode())
        for name, content in files.items()
        if said.encode() in content
    }
    assert telling == {"changes.atom": 1, "changes.json": 1}, (
        "the entry of version 1, which says the same and stands"
    )
    assert (
        b'<a href="../v/1/">version 1</a>' in files["index.html"]
        and b"No newer version" in files["index.html"]
    )
    (row,) = data(site / "index.json")["reviews"]
    assert (
        row["answer"].startswith("Version 2 was withdrawn on 2 March 2026")
        and row["states"] == row["map"] == []
    )
    assert said not in (site / "index.html").read_text(encoding="utf-8")
    again = publish.publish(reviewed, review=REVIEW, folder=site, now=NOW + 3 * HOUR)
    assert (again["version"], again["new"]) == (2, False) and read(latest) == files, (
        "not published again by itself"
    )


def test_corrected_evidence_makes_a_new_version(reviewed: Store, site: Path) -> None:
    gone(reviewed, site, 2)
    assert data(site / REVIEW / "v" / "2" / "tombstone.json")["superseded_by"] is None
    extract(reviewed, 2, NOW + 3 * HOUR, "favours_comparison")
    assert publish.publish(reviewed, review=REVIEW, folder=site, now=NOW + 3 * HOUR)["held"]
    assert not (site / REVIEW / "latest" / "summary.json").exists(), (
        "a withdrawn answer is no stopgap"
    )
    told = build(reviewed, site, NOW + 3 * HOUR)
    assert (told["version"], told["new"]) == (3, True)
    latest = data(site / REVIEW / "latest" / "summary.json")
    assert [one["number"] for one in latest["versions"] if "withdrawn" in one] == [2]
    assert data(site / REVIEW / "v" / "2" / "tombstone.json")["superseded_by"] == 3
    assert data(site / REVIEW / "v" / "3" / "summary.json")["version"]["number"] == 3


def test_what_says_the_same_after_a_withdrawal_needs_a_name(reviewed: Store, site: Path) -> None:
    latest = site / REVIEW / "latest"
    gone(reviewed, site, 2)
    extract(reviewed, 3, NOW + 3 * HOUR)
    told = publish.publish(reviewed, review=REVIEW, folder=site, now=NOW + 3 * HOUR)
    (reason,) = told["held"]["reasons"]
    assert told["held"]["whole"] and (told["version"], told["new"]) == (2, False)
    assert (
        reason["class"] == "after a withdrawal"
        and WHY in reason["why"]
        and reason["before"] == reason["after"]
    )
    assert "summary.json" not in read(latest), "the notice stays"
    publish.sign(reviewed, id="s", review=REVIEW, by="lena", now=NOW + 4 * HOUR)
    told = publish.publish(reviewed, review=REVIEW, folder=site, now=NOW + 4 * HOUR)
    assert (told["version"], told["new"]) == (3, True)
    assert data(latest / "summary.json")["version"]["signed_by"] == "lena"


def test_evidence_that_waits_for_a_name_does_not_keep_a_withdrawn_answer_up(
    reviewed: Store, site: Path
) -> None:
    extract(reviewed, 2, NOW + 2 * HOUR, "favours_comparison")
    assert gone(reviewed, site, 2)["published"]["held"]
    latest = read(site / REVIEW / "latest")
    assert "summary.json" not in latest and b"Version 2 was withdrawn" in latest["index.html"]
    then = NOW + timedelta(hours=2, minutes=1)
    told = as_of.as_of(reviewed, review=REVIEW, moment=then, folder=site, now=NOW + 9 * HOUR)
    assert read(Path(told["folder"])) == latest
    publish.sign(reviewed, id="s", review=REVIEW, by="lena", now=NOW + 4 * HOUR)
    assert publish.publish(reviewed, review=REVIEW, folder=site, now=NOW + 4 * HOUR)["version"] == 3


def test_taken_back_it_stands_again_byte_for_byte(reviewed: Store, site: Path) -> None:
    first, second = read(site / REVIEW / "v" / "1"), read(site / REVIEW / "v" / "2")
    gone(reviewed, site, 1, id="w1")
    gone(reviewed, site, 2, id="w2")
    page = (site / REVIEW / "latest" / "index.html").read_text(encoding="utf-8")
    assert "No version of this review stands at present." in page
    back(reviewed, site, 2)
    assert read(site / REVIEW / "v" / "2") == second
    assert data(site / REVIEW / "latest" / "summary.json")["version"]["number"] == 2
    act: dict[str, Any] = {
        "id": "b1",
        "review": REVIEW,
        "version": 1,
        "by": "lena",
        "reason": "x",
        "folder": site,
    }
    withdraw.take_back(reviewed, **act, now=NOW + 4 * HOUR)
    assert read(site / REVIEW / "v" / "1") == first
    assert not any(
        "withdrawn" in one for one in data(site / REVIEW / "latest" / "summary.json")["versions"]
    )


def test_a_moment_before_gives_the_bytes_of_then_and_one_after_the_notice(
    reviewed: Store, site: Path
) -> None:
    before = read(site / REVIEW / "latest")
    gone(reviewed, site, 2)
    notice = read(site / REVIEW / "latest")
    back(reviewed, site, 2)
    for moment, pages in ((NOW + HOUR, before), (NOW + 2 * HOUR, notice)):
        told = as_of.as_of(reviewed, review=REVIEW, moment=moment, folder=site, now=NOW + 9 * HOUR)
        assert read(Path(told["folder"])) == pages


def test_a_kill_between_the_event_and_the_files_is_put_right(
    reviewed: Store, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for act, ends in ((gone, True), (back, False)):
        with monkeypatch.context() as patch:
            patch.setattr(publish, "settle_outbox", dies)
            with pytest.raises(KeyboardInterrupt):
                act(reviewed, site, 2)
        assert (site / REVIEW / "v" / "2" / "tombstone.json").exists() != ends
        shutil.rmtree(site / REVIEW / "v" / "2")  # and in the middle of a change of folders
        assert (
            publish.settle_outbox(reviewed, folder=site, now=NOW + 5 * HOUR)[REVIEW]["version"] == 2
        )
        assert (site / REVIEW / "v" / "2" / "tombstone.json").exists() == ends
        assert (site / REVIEW / "latest" / "summary.json").exists() != ends


def test_a_build_that_fails_does_not_keep_a_withdrawn_version_up(
    reviewed: Store, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("the flow does not balance")

    with monkeypatch.context() as patch:
        patch.setattr(publish, "snapshot", breaks)
        assert "does not balance" in gone(reviewed, site, 2)["published"]["problem"]
    assert (site / REVIEW / "v" / "2" / "tombstone.json").exists()
    assert not (site / REVIEW / "latest" / "summary.json").exists()
    assert "was withdrawn" in data(site / "index.json")["reviews"][0]["answer"]


def test_the_same_act_twice_is_one(reviewed: Store, site: Path) -> None:
    assert (gone(reviewed, site, 1)["known"], gone(reviewed, site, 1)["known"]) == (False, True)
    with reviewed.read() as con:
        assert len(withdrawals.acts(con, REVIEW)) == 1


def test_what_makes_no_sense_is_refused(reviewed: Store, site: Path) -> None:
    with pytest.raises(
        Refused, match="version 9 of small-review was never published; its versions: 1, 2"
    ):
        gone(reviewed, site, 9)
    with pytest.raises(Refused, match="version 1 is not withdrawn"):
        back(reviewed, site, 1)
    gone(reviewed, site, 1)
    with pytest.raises(Refused, match="version 1 was withdrawn already, on 2026-03-02: A study"):
        gone(reviewed, site, 1, id="other")
    asked = {"review": REVIEW, "version": 2, "by": "lena", "reason": " ", "id": "z"}
    with pytest.raises(Refused, match="say why"):
        ops.run(reviewed, site, Withdraw(**asked))
    with pytest.raises(Refused, match="unknown review"):
        ops.run(reviewed, site, Withdraw(**(asked | {"review": "nowhere"})))


# Served by the owner


@pytest.fixture
def http(app: FastAPI, reviewed: Store, site: Path) -> TestClient:
    """Version 1 withdrawn, version 2 standing."""
    gone(reviewed, site, 1)
    return TestClient(app)


def test_every_address_of_a_withdrawn_version_answers_410(http: TestClient) -> None:
    base = f"/site/{REVIEW}/v/1/"
    for name in (
        "",
        "index.html",
        "summary.json",
        "studies.csv",
        "nothing",
        "deep/er",
        "tombstone.json",
        "embed.html",
    ):
        answer = http.get(base + name)
        assert answer.status_code == 410, name
        assert answer.headers["cache-control"] == "public, max-age=300, must-revalidate"
        assert answer.headers["access-control-allow-origin"] == "*" and "withdrawn" in answer.text
        kind = "application/json" if name.endswith(".json") else "text/html; charset=utf-8"
        assert answer.headers["content-type"] == kind
        framed = "frame-ancestors *" in answer.headers["content-security-policy"]
        assert framed == (name == "embed.html")
    assert http.get(base + "summary.json").json()["reason"] == WHY
    assert http.get(base + "x", headers={"If-None-Match": "*"}).status_code == 410
    assert http.head(base).status_code == 410


def test_the_other_versions_are_served_as_ever(http: TestClient) -> None:
    for place in ("v/2", "latest"):
        assert http.get(f"/site/{REVIEW}/{place}/summary.json").status_code == 200
    assert http.get(f"/site/{REVIEW}/latest/nothing").status_code == 404
    kept = http.get(f"/site/{REVIEW}/v/2/").headers["cache-control"]
    assert kept == "public, max-age=86400, must-revalidate", (
        "a browser hears of a withdrawal within a day"
    )


def test_latest_serves_its_notice_and_feeds_and_says_of_the_rest_that_it_is_gone(
    http: TestClient, reviewed: Store, site: Path
) -> None:
    gone(reviewed, site, 2, id="w2")
    base = f"/site/{REVIEW}/latest/"
    codes = {
        name: http.get(base + name).status_code
        for name in ("", "changes.atom", "embed.js", "embed.html")
    }
    assert set(codes.values()) == {200}
    answer = http.get(base + "summary.json")
    assert answer.status_code == 410 and answer.json()["version"] == 2
    assert (
        http.get(base + "index.html").headers["cache-control"]
        == "public, max-age=300, must-revalidate"
    )


def test_a_lead_withdraws_on_the_page_and_lets_it_stand_again(
    reviewed: Store, browser: People, settings: Settings
) -> None:
    settings.site.mkdir()
    build(reviewed, settings.site, NOW)
    lena = browser("lena", "lead")
    lena.get(f"/r/{REVIEW}")
    page = lena.press("Withdraw it", version="1", reason="A study was counted twice.")
    assert "It is the newest" in page and "Version 1 is withdrawn" not in lena.get(f"/r/{REVIEW}")
    lena.press("Withdraw it", version="1", reason="A study was counted twice.")
    lena.press("Yes, do this")
    page = lena.get(f"/r/{REVIEW}")
    assert "Version 1 is withdrawn since" in page and "A study was counted twice." in page
    assert lena.http.get(f"/site/{REVIEW}/v/1/index.html").status_code == 410
    lena.press("Let it stand again", reason="It was not.")
    assert "is withdrawn since" not in lena.get(f"/r/{REVIEW}")
    assert lena.http.get(f"/site/{REVIEW}/v/1/index.html").status_code == 200


def test_webhooks_are_told_that_a_version_is_withdrawn_and_not_what_it_said(
    reviewed: Store, protocol: str, settings: Settings
) -> None:
    surveil.register(
        reviewed, text='webhooks = ["https://hooks.example.org/x"]\n' + protocol, now=NOW
    )
    settings.site.mkdir()
    publish.publish(reviewed, review=REVIEW, folder=settings.site, now=NOW)
    assert len(notices.due_webhooks(reviewed, now=NOW)["due"]) == 1
    asked = {"review": REVIEW, "version": 1, "by": "lena", "folder": settings.site, "now": NOW}
    withdraw.withdraw(reviewed, id="w", reason="Wrong.", **asked)
    (one,) = notices.due_webhooks(reviewed, now=NOW)["due"]
    event = json.loads(one["body"])
    assert (one["event"], event["version"], event["reason"]) == ("version.withdrawn", 1, "Wrong.")
    assert event["read_instead"] is None and "answer" not in event
