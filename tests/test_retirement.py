"""Signs are shown and people vote: nothing retires by itself, and what retired comes back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from math import exp, log, sqrt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livereview import ops
from livereview.errors import Refused
from livereview.evidence import retirement as rule
from livereview.evidence.finding import Finding
from livereview.evidence.retirement import Count, Edition, Trigger, Watch
from livereview.ops import as_of, publish, retirement, status, surveil
from livereview.ops.team import add_account, close_account
from livereview.store.open import Store
from tests.conftest import NOW, REVIEW, article, found, secret_of
from tests.evidence import WELLBEING, finding, rated, smd, study
from tests.test_ops import include
from tests.test_ops_as_of import extract, read

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
TWO_YEARS = NOW - 25 * rule.MONTH
ROOT = Path(__file__).resolve().parents[1]

# The signs


def edition(number: int, change: str, studies: int, months: float) -> Edition:
    return Edition(number, NOW - months * rule.MONTH, change, frozenset(map(str, range(studies))))


CALM = [
    edition(1, "first", 1, 40),
    edition(2, "strengthened", 3, 30),
    edition(3, "detail", 4, 20),
    edition(4, "detail", 5, 10),
    edition(5, "detail", 5, 1),
]


def test_conclusions_stand_after_years_versions_and_studies_without_a_change() -> None:
    told = rule.stable(CALM, NOW, False)
    assert told.met is True
    assert told.told == (
        "Since version 2, 30 months ago: 3 versions without a changed conclusion, 2 studies added"
        " (needed: 3, over 24 months, with 2 studies)."
    )
    assert told.evidence == {"since": 2, "months": 30, "versions": 3, "added": 2, "waits": False}


@pytest.mark.parametrize(
    "editions",
    [
        CALM[:-1],  # too few versions
        [*CALM, edition(6, "weakened", 6, 0)],  # just changed
        [edition(1, "first", 5, 40), *CALM[2:]],  # nothing added
        # too short
        [edition(1, "first", 1, 23), *(edition(n, "detail", n, 10) for n in (2, 3, 4))],
    ],
)
def test_conclusions_do_not_stand_where_any_number_falls_short(editions: list[Edition]) -> None:
    assert rule.stable(editions, NOW, False).met is False


def test_a_changed_conclusion_that_waits_for_a_name_unsettles_the_rest() -> None:
    told = rule.stable(CALM, NOW, True)
    assert told.met is False and told.told.startswith("A changed conclusion waits for a name.")
    assert rule.stable([], NOW, False).met is None


def pooled(
    effects: list[float], pi: tuple[float, float] | None, measure: str = "SMD", se: float = 0.1
) -> Finding:
    """A finding of equal studies: a mean with its interval, on the outcome's own scale."""
    back = exp if measure == "OR" else float
    k, mean = len(effects), sum(effects) / len(effects)
    plain = finding(WELLBEING, *(study(f"s{n}", smd(0.3, 0.2)) for n in range(k)))
    assert plain.estimate is not None
    estimate = plain.estimate.model_copy(
        update={
            "measure": measure,
            "null": back(0.0),
            "value": back(mean),
            "low": back(mean - 1.96 * se / sqrt(k)),
            "high": back(mean + 1.96 * se / sqrt(k)),
            "prediction_low": back(pi[0]) if pi else None,
            "prediction_high": back(pi[1]) if pi else None,
        }
    )
    return plain.model_copy(update={"estimate": estimate})


def test_one_more_study_moves_the_estimate_by_its_share_of_the_weight() -> None:
    found = pooled([0.3] * 9, (0.2, 0.4))
    share, moved = rule.further(found)
    mean = (9 * 0.3 + 0.4) / 10  # the ordinary mean with a tenth study at the far end
    assert share == pytest.approx(0.1)
    assert moved == pytest.approx((mean - 0.3) / (1.96 * 0.1 / 3))


def test_ratios_move_as_logs_and_two_studies_are_judged_by_their_own_interval() -> None:
    plain, ratio = pooled([0.3, 0.3], None), pooled([0.3, 0.3], None, "OR")
    assert rule.further(plain) == pytest.approx((1 / 3, 1 / 3)) and rule.further(
        ratio
    ) == pytest.approx((1 / 3, 1 / 3))
    assert ratio.estimate is not None
    assert log(ratio.estimate.value) == pytest.approx(0.3)


FIRM, SHAKY = pooled([0.3] * 20, (0.26, 0.34)), pooled([0.3] * 3, (0.0, 0.6))


@pytest.mark.parametrize(
    ("found", "met", "words"),
    [
        (rated(FIRM, "high"), True, "carry 5% of the weight and move the estimate by up to 4%"),
        (rated(SHAKY, "high"), False, "carry 25% of the weight"),
        (rated(SHAKY, "very_low"), False, "certainty is very low"),
        (finding(WELLBEING), False, "no studies"),
        (SHAKY, None, "certainty is not rated"),
        (
            rated(finding(WELLBEING, study("a", smd(0.3, 0.2))), "high"),
            None,
            "certainty is high, but nothing is pooled",
        ),
    ],
)
def test_certainty_is_judged_finding_by_finding(
    found: Finding, met: bool | None, words: str
) -> None:
    told = rule.certain([found])
    assert told.met is met and told.told.startswith("Wellbeing: ") and words in told.told
    both = rule.certain([found, rated(FIRM, "high")])
    assert both.met is met, "a second firm outcome changes nothing"


def watch(
    first: datetime | None = TWO_YEARS, last: datetime | None = NOW - DAY, name: str = "openalex"
) -> Watch:
    return Watch(name, first, last, 700, 690)


def quiet(
    *watched: Watch, included: datetime | None = TWO_YEARS, unread: datetime | None = None
) -> Trigger:
    return rule.quiet(included, watched, unread, NOW, 45)


def test_no_new_study_counts_only_where_every_search_ran_and_was_read() -> None:
    assert quiet(watch()).told == (
        "No study was included in the last 24 months; 690 of 700 runs of its searches went through in 24 months."
    )
    assert quiet(watch()).met is True and quiet(watch(), unread=NOW - 9 * DAY).met is True
    assert quiet(watch(), included=None).met is True
    assert quiet(watch(), included=NOW - 40 * DAY).met is False
    for unknown in (
        quiet(),
        quiet(watch(), watch(None, None, "crossref")),
        quiet(watch(), watch(first=NOW - 200 * DAY, name="crossref")),
        quiet(watch(), watch(last=NOW - 46 * DAY, name="crossref")),
        quiet(watch(), unread=NOW - 46 * DAY),
    ):
        assert unknown.met is None and "can't be said" in unknown.told


def test_what_only_people_know_is_unknown_until_they_say_so() -> None:
    assert rule.not_asked(None).met is None and rule.no_resources("").met is None
    told = rule.not_asked("the law changed.")
    assert (
        told.met is True
        and told.told == "The question is no longer asked, the team says: the law changed."
    )


def test_what_would_bring_it_back_undoes_the_signs_that_were_met() -> None:
    met = [rule.no_resources("no grant"), rule.not_asked(None), quiet(watch())]
    assert rule.revives(met) == (
        "It comes back, by a vote of its team, if there is somebody who takes the review over or a new study of the"
        " question."
    )
    assert "a study that could change a conclusion" in rule.revives([])


# The vote


@pytest.mark.parametrize(
    ("yes", "no", "abstain", "voters", "result"),
    [
        (2, 0, 0, 5, True),
        (2, 1, 9, 20, True),
        (2, 2, 0, 5, False),
        (1, 0, 0, 5, False),
        (1, 0, 0, 1, True),
        (0, 0, 1, 1, False),
        (0, 0, 0, 0, False),
        (3, 4, 0, 7, False),
    ],
)
def test_two_for_it_and_more_than_against(
    yes: int, no: int, abstain: int, voters: int, result: bool
) -> None:
    assert rule.carried(Count(yes, no, abstain, voters)) is result


BALLOTS = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(rule.VERDICTS)))


@given(BALLOTS, st.sets(st.sampled_from("abcdef")))
def test_the_last_vote_of_each_person_who_may_vote_counts(
    cast: list[tuple[str, str]], voters: set[str]
) -> None:
    votes = rule.count(cast, voters)
    last = {
        person: [v for p, v in cast if p == person][-1] for person, _ in cast if person in voters
    }
    assert votes.cast == len(last) <= votes.voters == len(voters)
    assert votes.yes == list(last.values()).count("yes")
    assert rule.count([*cast, *last.items()], voters) == votes, (
        "voting the same again changes nothing"
    )


# The acts


def people(store: Store, **roles: str) -> None:
    for name, role in roles.items():
        add_account(store, name=name, role=role, secret=secret_of(name), now=NOW)


@pytest.fixture
def team(reviewed: Store) -> Store:
    people(reviewed, lena="lead", ada="reviewer", bo="adjudicator", rob="reader")
    return reviewed


def propose(
    store: Store, kind: str = "retire", now: datetime = NOW, by: str = "ada", **more: Any
) -> dict[str, Any]:
    plain = {"id": f"p-{kind}-{now}", "reason": "The question is settled", **more}
    return retirement.propose(store, review=REVIEW, kind=kind, by=by, now=now, **plain)


def vote(
    store: Store, by: str, verdict: str = "yes", now: datetime = NOW, **more: Any
) -> dict[str, Any]:
    id = more.pop("id", f"b-{by}-{verdict}-{now}")
    return retirement.vote(store, id=id, review=REVIEW, verdict=verdict, by=by, now=now, **more)


def close(store: Store, now: datetime = NOW, by: str = "lena", **more: Any) -> dict[str, Any]:
    return retirement.close(store, review=REVIEW, by=by, now=now, **{"id": f"c-{now}", **more})


def carry(store: Store, kind: str, now: datetime) -> None:
    propose(store, kind, now)
    vote(store, "ada", now=now)
    vote(store, "bo", now=now)
    assert close(store, now)["carried"]


def state(store: Store, now: datetime = NOW) -> str:
    return str(retirement.monitor(store, review=REVIEW, now=now)["state"])


def test_a_vote_retires_and_another_brings_back(team: Store) -> None:
    assert state(team) == "living"
    carry(team, "retire", NOW)
    assert state(team) == "retired"
    with pytest.raises(Refused, match="is retired already"):
        propose(team, now=NOW + DAY)
    carry(team, "revive", NOW + DAY)
    assert state(team) == "living"
    told = retirement.monitor(team, review=REVIEW, now=NOW)["closed"]
    assert [(one["kind"], one["carried"], one["votes"]["yes"]) for one in told] == [
        ("revive", True, 2),
        ("retire", True, 2),
    ]


def test_a_vote_that_is_lost_changes_nothing_and_another_may_follow(team: Store) -> None:
    propose(team)
    vote(team, "ada")
    assert close(team)["votes"] == {"yes": 1, "no": 0, "abstain": 0, "voters": 3}
    assert state(team) == "living"
    assert propose(team, now=NOW + DAY)["known"] is False


def test_the_same_act_twice_is_one(team: Store) -> None:
    assert [propose(team)["known"], propose(team)["known"]] == [False, True]
    assert [vote(team, "ada")["known"], vote(team, "ada")["known"]] == [False, True]
    assert vote(team, "bo")["known"] is False
    first = close(team)
    assert close(team) == {**first, "known": True}
    assert [propose(team)["known"], vote(team, "ada")["known"]] == [True, True], (
        "sent again after the close"
    )
    assert len(retirement.monitor(team, review=REVIEW, now=NOW)["closed"]) == 1


def test_a_later_vote_counts_instead_and_is_nobody_elses_to_see(team: Store) -> None:
    propose(team)
    vote(team, "ada", "no")
    vote(team, "ada", "yes", NOW + HOUR, note="I was wrong")
    for person, mine in (("ada", "yes"), ("bo", None), (None, None)):
        waits = retirement.monitor(team, review=REVIEW, now=NOW, person=person)["open"]
        assert (waits["voted"], waits["voters"]) == (1, 3)
        assert (waits["mine"] or {}).get("verdict") == mine
        assert mine or "I was wrong" not in json.dumps(waits, default=str)
    close(team)
    (closed,) = retirement.monitor(team, review=REVIEW, now=NOW)["closed"]
    assert [(one["account"], one["verdict"], one["note"]) for one in closed["ballots"]] == [
        ("ada", "yes", "I was wrong")
    ]


def test_only_the_votes_of_open_accounts_count(team: Store) -> None:
    propose(team)
    vote(team, "ada")
    vote(team, "bo")
    close_account(team, name="bo", now=NOW)
    assert close(team)["votes"] == {"yes": 1, "no": 0, "abstain": 0, "voters": 2}


def test_who_may_not_enter_the_review_may_not_vote(team: Store, protocol: str) -> None:
    surveil.register(team, text=protocol.replace(f'id = "{REVIEW}"', 'id = "other"'), now=NOW)
    add_account(team, name="eve", role="lead", secret=secret_of("eve"), now=NOW, reviews=["other"])
    propose(team)
    with pytest.raises(Refused, match="an open account for small-review"):
        vote(team, "eve")
    assert retirement.monitor(team, review=REVIEW, now=NOW)["open"]["voters"] == 3


def test_one_vote_is_enough_where_one_person_may_vote(reviewed: Store) -> None:
    people(reviewed, lena="lead", rob="reader")
    propose(reviewed, by="lena")
    vote(reviewed, "lena")
    assert close(reviewed)["carried"]


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda store: propose(store, by="rob"), "'rob' may not vote"),
        (lambda store: propose(store, by="nobody"), "'nobody' may not vote"),
        (lambda store: propose(store, kind="end"), "kind must be one of retire, revive"),
        (lambda store: propose(store, reason="  "), "give a reason"),
        (lambda store: propose(store, reason="x" * 501), "too long: 501 letters, at most 500"),
        (lambda store: propose(store, kind="revive"), "is living already"),
        (lambda store: vote(store, "ada"), "no proposal on small-review is open"),
        (lambda store: vote(store, "ada", "perhaps"), "a vote is one of yes, no, abstain"),
        (lambda store: close(store), "no proposal on small-review is open"),
        (
            lambda store: (propose(store), propose(store, now=NOW + DAY)),
            "a proposal is open already",
        ),
        (lambda store: (propose(store), vote(store, "rob")), "'rob' may not vote"),
        (
            lambda store: (propose(store), vote(store, "ada", proposal="older")),
            "another one is open now",
        ),
        (
            lambda store: (propose(store), close(store, by="ada")),
            "a lead closes the vote; ada is none",
        ),
    ],
)
def test_what_can_not_be_done_is_refused_in_words(team: Store, act: Any, words: str) -> None:
    with pytest.raises(Refused, match=words):
        act(team)


def test_the_protocol_wins_again_when_it_changes(team: Store, protocol: str) -> None:
    carry(team, "retire", NOW)
    surveil.register(team, text=protocol, now=NOW + DAY)
    assert state(team) == "retired", "the same text is no change"
    surveil.register(team, text=protocol + "\n# again\n", now=NOW + DAY)
    assert state(team) == "living"


def test_a_review_that_its_protocol_retires_can_be_voted_back(team: Store, protocol: str) -> None:
    retired = protocol.replace('retirement = "none"', 'retirement = "none"\nstatus = "retired"')
    surveil.register(team, text=retired, now=NOW)
    assert state(team) == "retired"
    carry(team, "revive", NOW + DAY)
    assert state(team) == "living"


# What follows


def publish_at(store: Store, site: Path, now: datetime) -> dict[str, Any]:
    done = publish.publish(store, review=REVIEW, folder=site, now=now)
    publish.library(store, folder=site, now=NOW)
    return done


@pytest.fixture
def site(team: Store, tmp_path: Path) -> Path:
    """A review with a study, published at NOW."""
    include(team, found(team, article(1))[0])
    extract(team, 1, NOW)
    folder = tmp_path / "site"
    folder.mkdir()
    publish_at(team, folder, NOW)
    return folder


def summary(site: Path) -> dict[str, Any]:
    return dict(json.loads((site / REVIEW / "latest" / "summary.json").read_text()))


def test_a_retired_review_keeps_its_page_which_says_since_when_and_why(
    team: Store, site: Path
) -> None:
    later = NOW + 90 * DAY
    propose(team, now=later, reason="The <b>law</b> changed", not_asked="the law changed")
    vote(team, "ada", now=later)
    vote(team, "lena", now=later)
    vote(team, "bo", "abstain", now=later)
    close(team, later)
    done = publish_at(team, site, later + HOUR)
    assert (done["version"], done["new"], done["change"]) == (2, True, "figures_updated"), (
        "being retired is content"
    )
    told, page = summary(site), (site / REVIEW / "latest" / "index.html").read_text()
    assert told["review"]["living"]["status"] == told["status"]["state"] == "retired"
    assert told["status"]["stale"] is False and "may miss newer studies" not in page
    assert told["status"]["retirement"]["votes"] == {"yes": 2, "no": 0, "abstain": 1, "voters": 3}
    assert "Retired on 31 May 2026" in page and "The &lt;b&gt;law&lt;/b&gt; changed" in page
    assert "2 for it, 0 against, 1 abstained, of 3 people who could vote" in page
    assert "somebody who asks the question again" in page
    assert "nothing is searched for any more" in page
    assert not {"lena", "ada"} & set(page.replace(",", " ").replace(".", " ").split()), (
        "votes are numbers, not names"
    )
    listed = (site / "index.html").read_text()
    assert (
        "Retired reviews" in listed
        and "since 31 May 2026, by a vote of its team. The &lt;b&gt;law" in listed
    )
    assert "Retired: no longer updated." in (site / REVIEW / "latest" / "embed.html").read_text()


def test_the_published_summary_keeps_to_its_schema(team: Store, site: Path) -> None:
    from jsonschema import Draft202012Validator

    carry(team, "retire", NOW + DAY)
    publish_at(team, site, NOW + DAY)
    schema = json.loads((site / REVIEW / "latest" / "summary.schema.json").read_text())
    assert list(Draft202012Validator(schema).iter_errors(summary(site))) == []
    assert summary(site)["status"]["retirement"] is not None


def test_back_in_living_mode_the_page_says_no_word_of_it(team: Store, site: Path) -> None:
    carry(team, "retire", NOW + DAY)
    publish_at(team, site, NOW + DAY)
    carry(team, "revive", NOW + 2 * DAY)
    assert publish_at(team, site, NOW + 2 * DAY)["version"] == 3
    told, page = summary(site), (site / REVIEW / "latest" / "index.html").read_text()
    assert told["status"]["state"] == "living" and told["status"]["retirement"] is None
    assert "Retired" not in page and "the team voted to bring the review back" in page


def test_every_published_state_is_made_again_byte_for_byte(team: Store, site: Path) -> None:
    held = {NOW: read(site / REVIEW / "latest")}
    for number, kind in enumerate(("retire", "revive", "retire"), start=1):
        now = NOW + number * DAY
        propose(team, kind, now)
        publish_at(team, site, now)  # an open proposal is nobody's to see
        assert read(site / REVIEW / "latest") == held[now - DAY]
        vote(team, "ada", now=now)
        vote(team, "bo", now=now)
        close(team, now)
        publish_at(team, site, now)
        held[now] = read(site / REVIEW / "latest")
    assert len({pages["summary.json"] for pages in held.values()}) == 4
    for moment, pages in held.items():
        told = as_of.as_of(
            team, review=REVIEW, moment=moment + HOUR, folder=site, now=NOW + 99 * DAY
        )
        assert read(Path(told["folder"])) == pages


def test_searches_of_a_retired_review_raise_no_alarm_but_look_ups_do(team: Store) -> None:
    found(team, article(1))
    later = NOW + 200 * DAY
    alarms = status.status(team, now=later, review=REVIEW)["reviews"][0]
    assert (
        any("last succeeded 200 days ago" in one for one in alarms["alarms"])
        and alarms["never_run"]
    )
    carry(team, "retire", NOW + DAY)
    told = status.status(team, now=later, review=REVIEW)["reviews"][0]
    assert (told["state"], told["alarms"], told["never_run"]) == ("retired", [], [])
    ops.recheck.begin_lookup(team, review=REVIEW, source="crossref", search="look", now=later)
    surveil.finish(team, search="look", now=later, error="no answer")
    told = status.status(team, now=later, review=REVIEW)["reviews"][0]
    assert told["alarms"] == ["search look-up: crossref ended failed: no answer"]


def test_the_first_search_after_a_revival_reaches_back_to_the_last_success(team: Store) -> None:
    def window(search: str, now: datetime) -> dict[str, Any]:
        begun = surveil.begin(team, review=REVIEW, name="openalex", search=search, now=now)
        surveil.finish(team, search=search, now=now)
        return begun

    window("sweep", NOW)
    carry(team, "retire", NOW + DAY)
    carry(team, "revive", NOW + 20 * DAY)
    begun = window("after", NOW + 20 * DAY)
    assert begun["kind"] == "search" and begun["start"] == (NOW - 7 * DAY).isoformat(), (
        "with the usual overlap"
    )
    carry(team, "retire", NOW + 21 * DAY)
    carry(team, "revive", NOW + 400 * DAY)
    assert window("late", NOW + 400 * DAY)["kind"] == "sweep", (
        "after more than sweep_days everything is looked at again"
    )


def test_a_changed_conclusion_is_signed_before_a_review_retires(team: Store, site: Path) -> None:
    record = found(team, article(2), search="s2")[0]
    include(team, record)
    extract(team, 2, NOW + HOUR, "favours_comparison")
    assert publish_at(team, site, NOW + HOUR)["held"]
    propose(team)
    vote(team, "ada")
    vote(team, "bo")
    with pytest.raises(Refused, match="sign it first"):
        close(team)
    publish.sign(team, id="x", review=REVIEW, by="lena", now=NOW + HOUR)
    publish_at(team, site, NOW + HOUR)
    assert close(team)["carried"]


def test_the_signs_are_read_from_the_store_and_kept_with_the_proposal(
    team: Store, site: Path
) -> None:
    signs = {
        one["id"]: one for one in retirement.monitor(team, review=REVIEW, now=NOW + DAY)["triggers"]
    }
    assert list(signs) == ["stable", "certain", "quiet", "not_asked", "no_resources"]
    assert signs["stable"]["evidence"] == {
        "since": 1,
        "months": 0,
        "versions": 0,
        "added": 0,
        "waits": False,
    }
    assert (signs["certain"]["met"], signs["certain"]["told"]) == (
        None,
        "School attendance: certainty is not rated.",
    )
    assert (
        signs["quiet"]["met"] is False
        and "included on 2026-03-02; 1 of 1 runs" in signs["quiet"]["told"]
    )
    later = retirement.monitor(team, review=REVIEW, now=NOW + 800 * DAY)["triggers"][2]
    assert later["met"] is None and "openalex, crossref did not search all" in later["told"]
    moved = propose(team, no_resources="the grant has ended")
    kept = retirement.monitor(team, review=REVIEW, now=NOW + 800 * DAY)["open"]["triggers"]
    assert kept == moved["triggers"] and kept[4]["met"] is True and kept[2]["met"] is False


def livereview(home: Path, *words: str, code: int = 0) -> str:
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "200", "LIVEREVIEW_HOME": str(home)}
    command = [sys.executable, "-m", "livereview", *words]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def home(tmp_path: Path, protocol: str) -> Path:
    with Store(tmp_path / "livereview.duckdb") as store:
        surveil.register(store, text=protocol, now=NOW)
        publish.open_review(store, id="opening", review=REVIEW, by="lena", now=NOW)
        people(store, lena="lead", ada="reviewer")
    return tmp_path


def test_the_command_line_shows_moves_votes_and_closes(home: Path) -> None:
    at = ("retire", "--review", REVIEW)
    assert "small-review is living" in livereview(home, *at)
    assert "say who does it with --by" in livereview(home, *at, "--propose", "settled", code=2)
    livereview(home, *at, "--propose", "settled", "--by", "ada", "--not-asked", "the [law] changed")
    livereview(home, *at, "--vote", "yes", "--by", "ada")
    livereview(home, *at, "--vote", "yes", "--by", "lena")
    said = livereview(home, *at, "--by", "ada")
    assert "2 of 2 have voted; yours: yes" in said and "Open: ada moved" in said
    said = livereview(home, *at, "--close", "--by", "lena", code=2)
    assert "The vote is carried: the review is retired." in said and "say --yes" in said
    said = livereview(home, *at, "--close", "--by", "lena", "--yes")
    assert (
        "2 yes, 0 no, 0 abstained, of 2 who may vote: the review is retired" in said
        and "version 1" in said
    )
    assert "small-review is retired since" in livereview(home, *at)
    assert "retired: nothing is searched for any more" in livereview(home, "status")


@pytest.mark.slow
def test_a_scheduled_night_of_a_retired_review_ends_well_and_says_why_nothing_ran(
    home: Path,
) -> None:
    with Store(home / "livereview.duckdb") as store:
        for by in ("ada", "lena"):
            if by == "ada":
                propose(store)
            vote(store, by)
        close(store)
    said = livereview(home, "surveil", "--review", REVIEW)
    assert "small-review is retired: nothing was searched" in said
    assert "No search has run yet" in livereview(home, "ledger", "--review", REVIEW)
