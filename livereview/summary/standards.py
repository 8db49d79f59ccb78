"""The methods that a version used, each with the paper or chapter that it is from.

Only what was used is named: no reader has to wonder which of a list of methods this review took.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from livereview.evidence.finding import Estimate, Finding
from livereview.messages import mark, say
from livereview.summary import model
from livereview.summary.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Standard:
    """A method with its source; `what` says what it was used for."""

    id: str
    what: str
    citation: str
    doi: str


ALL: tuple[Standard, ...] = (
    Standard(
        "prisma",
        mark("How the review is reported"),
        "Page MJ and others. The PRISMA 2020 statement. BMJ 2021;372:n71",
        "10.1136/bmj.n71",
    ),
    Standard(
        "prisma-lsr",
        mark("How a living review is reported"),
        "Akl EA and others. PRISMA extension for living systematic reviews. BMJ 2024;387:e079183",
        "10.1136/bmj-2024-079183",
    ),
    Standard(
        "prisma-s",
        mark("How searches are reported"),
        "Rethlefsen ML and others. PRISMA-S. Syst Rev 2021;10:39",
        "10.1186/s13643-020-01542-z",
    ),
    Standard(
        "grade",
        mark("Certainty of a finding"),
        "Guyatt GH and others. GRADE. BMJ 2008;336:924-6",
        "10.1136/bmj.39489.470347.ad",
    ),
    Standard(
        "grade-words",
        mark("Words of a finding, by its certainty"),
        "Santesso N and others. GRADE guidelines 26. J Clin Epidemiol 2020;119:126-35",
        "10.1016/j.jclinepi.2019.10.014",
    ),
    Standard(
        "cerqual",
        mark("Confidence in findings in words"),
        "Lewin S and others. GRADE-CERQual. Implement Sci 2018;13(Suppl 1):2",
        "10.1186/s13012-017-0688-3",
    ),
    Standard(
        "emmie",
        mark("How, for whom and at what cost it works"),
        "Johnson SD, Tilley N, Bowers KJ. EMMIE. J Exp Criminol 2015;11:459-73",
        "10.1007/s11292-015-9238-7",
    ),
    Standard(
        "swim",
        mark("Findings that are not pooled"),
        "Campbell M and others. Synthesis without meta-analysis (SWiM). BMJ 2020;368:l6890",
        "10.1136/bmj.l6890",
    ),
    Standard(
        "rob-me",
        mark("Risk that results are missing"),
        "Page MJ and others. ROB-ME. BMJ 2023;383:e076754",
        "10.1136/bmj-2023-076754",
    ),
    Standard(
        "iceman",
        mark("Whether a difference between groups can be believed"),
        "Schandelmaier S and others. ICEMAN. CMAJ 2020;192:E901-6",
        "10.1503/cmaj.200077",
    ),
    Standard(
        "reml",
        mark("Variance between studies (REML)"),
        "Viechtbauer W. J Educ Behav Stat 2005;30:261-93",
        "10.3102/10769986030003261",
    ),
    Standard(
        "dl",
        mark("Variance between studies (DL)"),
        "DerSimonian R, Laird N. Control Clin Trials 1986;7:177-88",
        "10.1016/0197-2456(86)90046-2",
    ),
    Standard(
        "knapp-hartung",
        mark("Interval of a pooled effect"),
        "Knapp G, Hartung J. Stat Med 2003;22:2693-710",
        "10.1002/sim.1482",
    ),
    Standard(
        "i2",
        mark("Share of variation between studies (I²)"),
        "Higgins JPT, Thompson SG. Stat Med 2002;21:1539-58",
        "10.1002/sim.1186",
    ),
    Standard(
        "prediction",
        mark("Prediction interval"),
        "Riley RD, Higgins JPT, Deeks JJ. BMJ 2011;342:d549",
        "10.1136/bmj.d549",
    ),
    Standard(
        "mantel-haenszel",
        mark("Pooling of counts"),
        "Greenland S, Robins JM. Biometrics 1985;41:55-68",
        "10.2307/2530643",
    ),
    Standard(
        "peto",
        mark("Pooling of rare events"),
        "Yusuf S and others. Prog Cardiovasc Dis 1985;27:335-71",
        "10.1016/s0033-0620(85)80003-7",
    ),
    Standard(
        "three-level",
        mark("Several results of one study"),
        "Konstantopoulos S. Res Synth Methods 2011;2:61-76",
        "10.1002/jrsm.35",
    ),
    Standard(
        "cr2",
        mark("Interval that allows for results that go together"),
        "Tipton E. Psychol Methods 2015;20:375-93",
        "10.1037/met0000011",
    ),
    Standard(
        "egger",
        mark("Whether small studies show other results"),
        "Egger M and others. BMJ 1997;315:629-34",
        "10.1136/bmj.315.7109.629",
    ),
    Standard(
        "peters",
        mark("Whether small studies show other results"),
        "Peters JL and others. JAMA 2006;295:676-80",
        "10.1001/jama.295.6.676",
    ),
)
"""In the order in which they are listed."""

ALWAYS = ("prisma", "prisma-lsr", "prisma-s")
BY_MODEL: Mapping[str, str] = {
    "Mantel-Haenszel": "mantel-haenszel",
    "Peto": "peto",
    "three levels: studies and their results": "three-level",
}
BY_ESTIMATOR: Mapping[str, str] = {"REML": "reml", "DL": "dl"}
BY_SMALL_STUDIES: Mapping[str, str] = {"Egger": "egger", "Peters": "peters"}


def used(snapshot: Snapshot, findings: Sequence[Finding]) -> tuple[Standard, ...]:
    """The methods behind this version, in the order of ALL."""
    names = {*ALWAYS, *_of_ratings(snapshot)}
    if snapshot.review.emmie:
        names.add("emmie")
    for finding in findings:
        names |= set(_of_finding(finding))
    return tuple(standard for standard in ALL if standard.id in names)


def published(standards: Iterable[Standard]) -> tuple[model.Standard, ...]:
    """As summary.json has them."""
    return tuple(_published(standard) for standard in standards)


def _published(standard: Standard) -> model.Standard:
    return model.Standard(
        id=standard.id,
        what=say(standard.what),
        citation=standard.citation,
        doi=standard.doi,
        link=f"https://doi.org/{standard.doi}",
    )


def _of_ratings(snapshot: Snapshot) -> Iterator[str]:
    kinds = {rating.kind for rating in snapshot.ratings}
    if "grade" in kinds:
        yield from ("grade", "grade-words")
    if "cerqual" in kinds:
        yield "cerqual"
    if "missing_evidence" in kinds:
        yield "rob-me"


def _of_finding(finding: Finding) -> Iterator[str]:
    """What this finding rests on."""
    if finding.moderators:
        yield "iceman"
    if finding.small_studies is not None:
        yield BY_SMALL_STUDIES[finding.small_studies.test]
    if finding.estimate is not None:
        yield from _of_estimate(finding.estimate)
    elif len(finding.counted) > 1:
        yield "swim"


def _of_estimate(estimate: Estimate) -> Iterator[str]:
    if estimate.model in BY_MODEL:
        yield BY_MODEL[estimate.model]
    if estimate.estimator is not None and estimate.estimator in BY_ESTIMATOR:
        yield BY_ESTIMATOR[estimate.estimator]
    test = estimate.test or ""
    if "Knapp-Hartung" in test:
        yield "knapp-hartung"
    if "CR2" in test:
        yield "cr2"
    if estimate.i2 is not None:
        yield "i2"
    if estimate.prediction_low is not None:
        yield "prediction"
