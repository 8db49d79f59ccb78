"""Shares of the queue: who is asked depends on names only, little moves when they change, and
nothing is stranded.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livereview import ops, review_toml
from livereview.errors import Refused
from livereview.ops import protocols, surveil
from livereview.ops.team import add_account, close_account
from livereview.screening.shares import Person, assigned, deal, lack, slot
from livereview.store import queues, shares
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, Browser, article, found, secret_of
from tests.test_ops_ranking import queue
from tests.test_web_screen import vote

People = Callable[..., Browser]
STAGE = "title_abstract"
REPORTS = ["r" + hashlib.sha256(str(n).encode()).hexdigest()[:20] for n in range(400)]
TEAM = st.dictionaries(
    st.sampled_from(["ada", "bo", "cy", "dee", "eve", "flo"]),
    st.tuples(st.floats(0.01, 100), st.booleans()),
    min_size=1,
)


def people(team: dict[str, tuple[float, bool]]) -> list[Person]:
    return [Person(name, share, core) for name, (share, core) in team.items()]


@settings(max_examples=30)
@given(TEAM, st.integers(1, 5), st.randoms())
def test_every_report_has_its_people_whatever_the_order_and_one_of_them_is_core(
    team: dict[str, tuple[float, bool]], votes: int, chance: object
) -> None:
    all_of = people(team)
    shuffled = list(all_of)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    for report in REPORTS[:40]:
        asked = assigned("a", report, all_of, votes)
        assert len(asked) == min(votes, len(all_of)) and asked == assigned(
            "a", report, shuffled, votes
        )
        assert any(one.core for one in all_of) == any(team[name][1] for name in asked)


@settings(max_examples=30)
@given(TEAM, st.integers(1, 3), st.floats(0.01, 100), st.data())
def test_a_changed_share_moves_reports_to_or_from_that_person_only(
    team: dict[str, tuple[float, bool]], votes: int, share: float, data: st.DataObject
) -> None:
    one = data.draw(st.sampled_from(sorted(team)))
    before = people({name: (part, False) for name, (part, _) in team.items()})
    after = [Person(p.name, share if p.name == one else p.share) for p in before]
    for report in REPORTS[:60]:
        was, now = (
            set(assigned("a", report, before, votes)),
            set(assigned("a", report, after, votes)),
        )
        assert was == now or one in was ^ now
        if share >= team[one][0]:
            assert was - now == set() or one in now - was
    without = [p for p in before if p.name != one]
    if without:
        moved = [
            r
            for r in REPORTS
            if set(assigned("a", r, without, votes)) != set(assigned("a", r, before, votes))
        ]
        assert all(one in assigned("a", report, before, votes) for report in moved)


def test_shares_are_kept_in_the_long_run_and_reviews_differ() -> None:
    team = (Person("amina", 50), Person("ben", 30), Person("chloe", 20))
    table = deal("a", team, 1)
    got = {name: sum(byte.bit_count() for byte in slots) / 65_536 for name, slots in table.items()}
    assert all(abs(got[one.name] - one.share / 100) < 0.01 for one in team)
    pairs = {
        name: sum(byte.bit_count() for byte in slots) / 65_536
        for name, slots in deal("a", team, 2).items()
    }
    # then proportional
    exact = {"amina": 0.5 + 0.3 * 5 / 7 + 0.2 * 5 / 8, "ben": 0.3 + 0.5 * 3 / 5 + 0.2 * 3 / 8}
    assert all(abs(pairs[name] - part) < 0.01 for name, part in exact.items())
    assert deal("a", team, 1)["ben"] != deal("b", team, 1)["ben"]


def test_the_database_has_the_same_slots(reviewed: Store) -> None:
    with reviewed.read() as con:
        rows = con.execute(
            "SELECT id, report_slot(id) FROM (SELECT unnest(?::VARCHAR[]) AS id)", [REPORTS]
        ).fetchall()
    assert dict(rows) == {report: slot(report) for report in REPORTS}


def test_the_draw_never_changes() -> None:
    """A later release must not deal reports anew that people have begun to read."""
    team = (Person("amina", 50), Person("ben", 30), Person("chloe", 20, core=True))
    digest = hashlib.sha256(b"".join(deal("small-review", team, 2).values())).hexdigest()
    assert digest == PINNED


PINNED = "02f37ab86c2f9449e7528ddf6e2f937c09e8bac2cbed1f59f1faf204cc3128d6"


@settings(max_examples=60)
@given(
    TEAM,
    st.sets(st.sampled_from(["ada", "bo", "cy", "dee"])),
    st.integers(1, 4),
    st.booleans(),
    st.data(),
)
def test_nothing_is_stranded_whoever_leaves_and_whoever_voted_before(
    team: dict[str, tuple[float, bool]], gone: set[str], votes: int, core: bool, data: st.DataObject
) -> None:
    """Votes come in one by one from people who are asked and allowed.

    Every report ends with all of them.
    """
    there = [one for one in people(team) if one.name not in gone]
    cores = {one.name for one in people(team) if one.core} | {"gil"} if core else set()
    everybody = {one.name for one in there} | {"gil", "hal", "ian", "jo", "kim"}
    for report in REPORTS[:8]:
        voted = set(
            data.draw(st.lists(st.sampled_from(sorted(everybody)), max_size=votes - 1, unique=True))
        )
        if (
            cores
            and len(voted) == votes - 1
            and votes > 1
            and not voted & cores
            and data.draw(st.booleans())
        ):
            voted = set(sorted(voted)[1:])
        asked = everybody if lack(there, votes, core) else set(assigned("a", report, there, votes))
        while len(voted) < votes:
            last = len(voted) == votes - 1 and bool(cores) and not voted & cores
            able = [name for name in sorted(asked - voted) if not last or name in cores]
            assert able, (report, asked, voted)
            voted.add(data.draw(st.sampled_from(able)))


def share(store: Store, protocol: str, line: str, *names: str) -> None:
    """Put shares in force and open accounts for these people."""
    surveil.register(store, text=protocol.replace("votes = 2", f"votes = 2\n{line}"), now=NOW)
    for name in names:
        add_account(store, name=name, role="reviewer", secret=secret_of(name), now=NOW)


THREE = "shares = { ada = 50, bo = 30, cy = 20 }"


def test_each_meets_their_own_reports_only_and_all_get_their_votes(
    reviewed: Store, protocol: str
) -> None:
    ids = found(reviewed, *(article(n) for n in range(30)))
    share(reviewed, protocol, THREE, "ada", "bo", "cy", "dee")
    lists = {name: queue(reviewed, name) for name in ("ada", "bo", "cy")}
    assert Counter(one for some in lists.values() for one in some) == Counter(ids * 2)
    assert all(0 < len(some) < 30 for some in lists.values()) and queue(reviewed, "dee") == []
    with reviewed.read() as con:
        held = next(one for one in ids if one not in lists["cy"])
        theirs = queues.head(con, protocols.protocol(con, REVIEW), "cy", STAGE, wanted=[held])
        assert theirs.first == lists["cy"][0] and theirs.wanted == ()
        assert queues.progress(con, protocols.protocol(con, REVIEW), "cy")[STAGE] == (
            0,
            len(lists["cy"]),
        )
    for name, some in lists.items():
        for one in some:
            vote(reviewed, one, name, "exclude")
    with reviewed.read() as con:
        assert con.execute("SELECT DISTINCT state FROM screening_state").fetchall() == [
            ("excluded",)
        ]


def test_new_records_move_none_of_the_old(reviewed: Store, protocol: str) -> None:
    share(reviewed, protocol, THREE, "ada", "bo", "cy")
    found(reviewed, *(article(n) for n in range(10)))
    before = queue(reviewed, "bo")
    found(reviewed, *(article(n) for n in range(10, 20)), search="s2")
    assert [one for one in queue(reviewed, "bo") if one in before] == before


def test_who_leaves_leaves_their_reports_to_the_others(reviewed: Store, protocol: str) -> None:
    ids = found(reviewed, *(article(n) for n in range(30)))
    share(
        reviewed,
        protocol,
        "shares = { ada = 40, bo = 30, cy = 20, dee = 10 }",
        "ada",
        "bo",
        "cy",
        "dee",
    )
    before = {name: queue(reviewed, name) for name in ("ada", "bo", "cy", "dee")}
    vote(reviewed, before["dee"][0], "dee", "include")
    close_account(reviewed, name="dee", now=NOW)
    after = {name: queue(reviewed, name) for name in ("ada", "bo", "cy")}
    assert Counter(one for some in after.values() for one in some) == Counter(ids * 2)
    assert all(set(before[name]) <= set(after[name]) for name in after)
    assert queue(reviewed, "dee") == []


def test_where_too_few_are_left_everybody_helps(reviewed: Store, protocol: str) -> None:
    ids = found(reviewed, *(article(n) for n in range(6)))
    share(reviewed, protocol, THREE, "ada", "bo", "cy")
    close_account(reviewed, name="ada", now=NOW)
    assert queue(reviewed, "bo") == ids
    assert queue(reviewed, "dee") == []
    close_account(reviewed, name="cy", now=NOW)
    assert queue(reviewed, "bo") == queue(reviewed, "dee") == ids
    with reviewed.read() as con:
        held = shares.of(con, protocols.protocol(con, REVIEW))
    assert (
        held
        and held.lack
        == "only 1 of those named have an open account that votes, and each record needs 2"
    )


@pytest.mark.parametrize(
    "change", [{"role": "reader"}, {"role": "reviewer", "reviews": ["another"]}]
)
def test_who_may_not_vote_here_is_not_counted(
    reviewed: Store, protocol: str, change: dict[str, Any]
) -> None:
    ids = found(reviewed, *(article(n) for n in range(6)))
    surveil.register(reviewed, text=protocol.replace("small-review", "another"), now=NOW)
    share(reviewed, protocol, THREE, "ada", "bo", "cy")
    assert queue(reviewed, "bo") != ids
    add_account(reviewed, name="ada", secret=secret_of("ada"), now=NOW, **change)
    assert queue(reviewed, "bo") == queue(reviewed, "cy") == ids


def test_without_a_core_reviewer_among_those_left_everybody_helps(
    reviewed: Store, protocol: str
) -> None:
    ids = found(reviewed, *(article(n) for n in range(12)))
    share(reviewed, protocol, 'core = ["ada", "kim"]\n' + THREE, "ada", "bo", "cy", "kim")
    assert queue(reviewed, "ada") == ids and queue(reviewed, "kim") == []
    for one in queue(reviewed, "bo"):
        vote(reviewed, one, "bo", "include")
    assert queue(reviewed, "ada")[0] == ids[0] and len(queue(reviewed, "ada")) == 12
    close_account(reviewed, name="ada", now=NOW)
    assert set(queue(reviewed, "kim")) == set(ids)


def test_taking_the_shares_out_asks_everybody_again(reviewed: Store, protocol: str) -> None:
    ids = found(reviewed, *(article(n) for n in range(6)))
    share(reviewed, protocol, THREE, "ada", "bo", "cy")
    surveil.register(reviewed, text=protocol, now=NOW)
    assert sorted(queue(reviewed, "dee")) == sorted(queue(reviewed, "cy")) == sorted(ids)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("shares = { ada = 50 }", "fewer people than each record needs votes"),
        ("shares = { ada = 50, bo = 0 }", "a percentage from 0.01 to 100"),
        ("shares = { ada = 50, bo = true }", "a percentage from 0.01 to 100"),
        ("shares = { ada = 50, bo = nan }", "a percentage from 0.01 to 100"),
        ('shares = { ada = 50, "b o" = 1 }', '"b o" is no account'),
        ('shares = ["ada"]', "names with percentages"),
        ('core = ["kim"]\n' + THREE, "names no core reviewer.*add kim"),
    ],
)
def test_shares_that_could_not_hold_are_refused_with_the_reason(
    protocol: str, line: str, words: str
) -> None:
    with pytest.raises(Refused, match=words):
        review_toml.parse(protocol.replace("votes = 2", f"votes = 2\n{line}"))


def test_shares_are_read_as_written_and_empty_is_none(protocol: str) -> None:
    text = protocol.replace("votes = 2", f"votes = 2\n{THREE}")
    assert review_toml.parse(text).screening.shares == (("ada", 50.0), ("bo", 30.0), ("cy", 20.0))
    assert (
        review_toml.parse(protocol.replace("votes = 2", "votes = 2\nshares = {}")).screening.shares
        == ()
    )


def test_the_lead_sees_each_share_and_what_came_of_it(
    reviewed: Store, browser: People, protocol: str
) -> None:
    ids = found(reviewed, *(article(n) for n in range(20)))
    share(reviewed, protocol, THREE, "ada", "bo", "cy")
    mine = queue(reviewed, "cy")
    vote(reviewed, mine[0], "cy", "exclude")
    lena = browser("lena", "lead")
    lena.get(f"/r/{REVIEW}/team")
    page = " ".join(lena.press("I do not screen in this review").split())
    assert (
        "Shares of the queue" in page
        and f"Title and abstract: {len(mine)} assigned, 1 done" in page
    )
    assert "Full text: 0 assigned, 0 done" in page
    for name in ("ada", "bo"):
        close_account(reviewed, name=name, now=NOW)
    page = lena.get(f"/r/{REVIEW}/team")
    assert (
        "The shares do not hold now" in page
        and "only 1 of those named" in page
        and "no account that votes" in page
    )
    assert queue(reviewed, "cy") == [one for one in ids if one != mine[0]]


def test_linked_reports_of_others_are_not_offered(
    reviewed: Store, browser: People, protocol: str
) -> None:
    ids = found(reviewed, *(article(n) for n in range(12)))
    share(reviewed, protocol, THREE, "ada", "bo")
    cy = browser("cy")
    mine = queue(reviewed, "cy")
    other = next(one for one in ids if one not in mine)
    for one in (mine[0], other):
        for name in ("ada", "bo"):
            vote(reviewed, one, name, "include")
    ops.screen.judge(
        reviewed, id="j", left=mine[0], right=other, verdict="linked", person="ada", now=NOW
    )
    page = cy.get(f"/r/{REVIEW}/screen/full_text")
    assert "Include" in page and f'value="{other}"' not in page
    surveil.register(reviewed, text=protocol, now=NOW)
    assert f'value="{other}"' in cy.get(f"/r/{REVIEW}/screen/full_text")
