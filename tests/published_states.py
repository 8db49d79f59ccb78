"""Published folders in every state that a review can be in, for tests that look at them as others
do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from livereview import review_toml
from livereview.evidence import checked, checks, grade
from livereview.evidence.certainty import Rating
from livereview.evidence.forms import Cost, EmmieFinding, Extraction, Judgement
from livereview.evidence.retirement import Count, Trigger
from livereview.ops import renditions
from livereview.review import (
    SLOTS,
    Area,
    Code,
    Configuration,
    CostBand,
    Costs,
    Moderator,
    PriceFactor,
    Review,
    Statement,
    Tool,
)
from livereview.summary import front, site
from livereview.summary.snapshot import Retired, Snapshot
from tests.snapshots import (
    CARE,
    MOMENT,
    WELL,
    fact,
    published,
    report,
    result,
    review,
    snapshot,
    study,
)

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
HOSTILE = '</script><script>alert(1)</script>"><img src=x onerror=alert(2)> \u202egnp.exe {{ 7 * 7 }} <b>&amp;'
LATER = timedelta(days=9)


def sized(n: int, area: str | None = None) -> Extraction:
    """A study with a size, judged by a tool, with what it says on how things work."""
    low = 0.1 * n - 0.6
    results = (
        result(n=40 + n, measure="SMD", effect=low + 0.3, ci_low=low, ci_high=low + 0.6),
        result("care", "no_difference", n=40 + n),
    )
    judged = (Judgement("randomisation", "low"), Judgement("missing", "high"))
    told = (
        EmmieFinding("implementation", "Staff left.", "They left", "12", 3, "barrier"),
        EmmieFinding("economics", "Dear."),
    )
    return study(
        f"s{n}", *results, year=2005 + n, area=area, country="Norway", design="trial", risk_of_bias="high",
        risk_of_bias_tool="RoB 2", appraisal=judged, findings=told, costs=(Cost("training", 1200, "GBP"),),
        characteristics={"age": "under 10" if n % 2 else "10 and over", "sessions": float(n)},
    )  # fmt: skip


def pooled() -> tuple[Snapshot, Snapshot]:
    """Three studies, then twelve with a pooled outcome, judged and rated: every picture is in the
    second version.
    """
    says = (
        Statement("a", "answer", "We can't say yet."),
        Statement("e", "explanations", "It may be poorly tried."),
    )
    area = (Area("mentoring", "Mentoring"), Area("respite", "Respite care"))
    asked = (
        Moderator(
            "age", "Age", "category", "Older children speak up.", True, ("under 10", "10 and over")
        ),
        Moderator(
            "sessions", "Number of sessions", "number", "More may do more.", False, unit="session"
        ),
    )
    outcomes = (CARE, replace(WELL, pool=True))
    known = review(outcomes=outcomes, taxonomy=area, statements=says, moderators=asked)
    forms = [sized(n, "mentoring") for n in range(12)]
    gone = tuple(report(f"x{n}", reason="Wrong design", authors=("Ode, A.",)) for n in range(3))
    finding = checked.findings(known, forms)[1]
    rated = Rating("grade", finding.id, "low", (), (), "high", grade.numbers_of(finding))
    return snapshot(*forms[:3], review=known), snapshot(
        *forms, review=known, excluded=gone, ratings=(rated,)
    )


def realist() -> Snapshot:
    """All that a team says beside the figures: codes, configurations, explanations, costs and a
    tool of its own.
    """
    tool = Tool(
        "ours",
        "Our list",
        "Our protocol",
        ("good", "bad"),
        (("people", "who was asked"),),
        ("good", "bad"),
        ("bad",),
    )
    money = Costs(
        "GBP",
        2025,
        "An index",
        "family",
        (PriceFactor("USD", 2019, 0.9),),
        (CostBand("low", 500), CostBand("high")),
    )
    heard = EmmieFinding("implementation", "Staff left.", "They left", "12", 3, "barrier", "staff")
    forms = [
        study(
            name, result("care"), sites=n, findings=(heard,), risk_of_bias=judged, risk_of_bias_tool="Our list 1.0",
            appraisal=(Judgement("people", judged),), costs=(Cost("all", 90 * n, "USD", 2019, None, "family"),),
        )
        for n, (name, judged) in enumerate((("a", "good"), ("b", "bad"), ("c", "good")), start=1)
    ]  # fmt: skip
    says = (
        *(Statement(f"in-{slot}", slot, f"What we say of {slot}.") for slot in SLOTS),
        Statement(
            "tried", "explanations", "Poorly tried.", (), (), "plausible", ("a",), ("b", "gone")
        ),
    )
    where = Configuration(
        "c",
        "Where there is time",
        "trust grows",
        "plans are shared",
        "Talks",
        "All",
        ("a",),
        ("b",),
    )
    known = review(
        codes=(Code("staff", "Staff left"),), tools=(tool,), costs=money, statements=says, configurations=(where,),
        sites="councils",
    )  # fmt: skip
    stands = dict.fromkeys((*(one.id for one in says), "configuration:c"), MOMENT - LATER)
    rated = Rating("cerqual", "implementation/staff/barrier", "low", (), ("a", "b", "c"))
    return snapshot(
        *forms, review=known, ratings=(rated,), written=stands, extracted={"a": ("3", 1, MOMENT)}
    )


def left() -> Snapshot:
    """A review that its team retired by a vote."""
    signs = (
        Trigger("quiet", True, "No study was included in the last 24 months."),
        Trigger("stable", None, "Unknown."),
    )
    vote = Retired(MOMENT, "The question is answered.", Count(3, 0, 1, 4), signs)
    quiet = replace(review().living, status="retired", retirement="when five signs are met")
    return replace(snapshot(sized(1), sized(2), review=review(living=quiet)), retirement=vote)


def hostile() -> Snapshot:
    """Every text that comes from outside is an attack."""
    one = study(
        "a", result("care", construct=HOSTILE), label=HOSTILE, caution=HOSTILE, country=HOSTILE,
        findings=(EmmieFinding("mechanism", HOSTILE, HOSTILE),),
    )  # fmt: skip
    bad = report(
        "x",
        title=HOSTILE,
        authors=(HOSTILE,),
        url="javascript:alert(1)",
        doi='10.1000/"><b>',
        reason=HOSTILE,
    )
    known = review(
        title=HOSTILE, authors=(HOSTILE,), statements=(Statement("s", "answer", HOSTILE),)
    )
    searches = (fact("openalex", query=HOSTILE, last_outcome="failed", last_error=HOSTILE),)
    return snapshot(one, excluded=(bad,), review=known, searches=searches)


def example(name: str) -> Snapshot:
    """One of the examples with all of its extractions."""
    known = review_toml.parse((EXAMPLES / name / "review.toml").read_text(encoding="utf-8"))
    return snapshot(*sheets(name, known), review=known)


def sheets(name: str, known: Review) -> Iterator[Extraction]:
    """The form of each study that holds: the last by the files' names."""
    found: dict[str, Extraction] = {}
    for path in sorted((EXAMPLES / name / "extractions").glob("*.json")):
        form = checks.from_json(json.loads(path.read_text(encoding="utf-8")), known, path.name)
        found[form.study] = form
    yield from found.values()


def states() -> dict[str, tuple[Snapshot, ...]]:
    """The versions of each review, by its id."""
    return {
        "no-studies": (snapshot(),),
        "no-search": (snapshot(searches=(), review=review(emmie=False)),),
        "one-study": (
            snapshot(study("a", result("care", n=1200), year=2009, caution="Take care.")),
        ),
        "two-versions": (
            snapshot(study("a", result(n=9))),
            snapshot(study("a", result(n=9)), study("b", result(n=9))),
        ),
        "pooled": pooled(),
        "realist": (realist(),),
        "retired": (left(),),
        "hostile": (hostile(),),
        "youth-homelessness": (example("youth-homelessness"),),
        "signs-of-safety": (example("signs-of-safety"),),
    }


def publish(folder: Path) -> dict[str, Path]:
    """All of them under one folder as they are published, with latest/, v/N/ and the list: {id: its
    folder}.
    """
    entries = []
    for name, versions in states().items():
        built: list[site.Build] = []
        for number, snap in enumerate(versions, start=1):
            at = MOMENT + LATER * number
            before = tuple(
                published(one, n, MOMENT + LATER * n) for n, one in enumerate(built, start=1)
            )
            whole = replace(snap, review=replace(snap.review, id=name), history=before, moment=at)
            made = site.draft(whole, number, "an extraction", "The lead" if before else None)
            latest, kept = site.files(made, "../", "../../", encode=renditions.encode)
            built.append(site.Build(kept, made.content_hash, made.change, made.text.decode()))
            _write(folder / name / "v" / str(number), kept)
        _write(folder / name / "latest", latest)
        entries.append(front.Entry(name, built[-1].summary))
    _write(folder, front.files(entries))
    return {entry.review: folder / entry.review for entry in entries}


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in files.items():
        (folder / name).write_bytes(body)
