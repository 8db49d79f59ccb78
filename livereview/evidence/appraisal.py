"""Tools of appraisal as data: their domains, the judgements that each knows, and what a judgement
is worth.

One list (`TOOLS`, and a protocol's own `[[tools]]`) serves the form, the sheets, the page and
summary.json. Names of domains are short and in our own words; the questions themselves stand in the
sources that are named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from livereview.evidence.forms import Extraction
from livereview.messages import mark, say
from livereview.review import Review, Tool

RISK_OF_BIAS = (
    "low",
    "some_concerns",
    "moderate",
    "high",
    "serious",
    "very_high",
    "critical",
    "no_information",
)
"""Overall judgements from best to worst, over all tools; `no_information` is none."""

HIGH_RISK = ("high", "serious", "very_high", "critical")
"""Those that count as high when a finding is weighed and rated."""

APART = ("critical",)
"""Those that are shown and never decide (ROBINS-I: too problematic to provide useful evidence)."""

_JUDGED = tuple(word for word in RISK_OF_BIAS if word != "no_information")
NOT_JUDGED = len(_JUDGED)
"""The rank of a study that nobody judged: behind all that were."""

WORDS = {
    "low": mark("low"),
    "some_concerns": mark("some concerns"),
    "moderate": mark("moderate"),
    "high": mark("high"),
    "serious": mark("serious"),
    "very_high": mark("very high"),
    "critical": mark("critical"),
    "no_information": mark("no information"),
    "met": mark("met"),
    "partly_met": mark("partly met"),
    "not_met": mark("not met"),
    "yes": mark("yes"),
    "cant_tell": mark("can’t tell"),
    "unclear": mark("unclear"),
    "no": mark("no"),
    "not_applicable": mark("not applicable"),
}

_TEAMS_OWN = ("low", "moderate", "high")
"""Overall judgements beside tools that set none of their own: a team's summing up of the domains."""

_OF_ROBINS_I = ("low", "moderate", "serious", "critical", "no_information")
_OF_ROBINS_E = ("low", "some_concerns", "high", "very_high")
_OF_JBI = ("yes", "unclear", "no", "not_applicable")
_OF_MMAT = ("yes", "cant_tell", "no")


def _tool(
    id: str,
    name: str,
    source: str,
    judgements: tuple[str, ...],
    domains: Mapping[str, str],
    *,
    overall: tuple[str, ...] | None = None,
    high: tuple[str, ...] = HIGH_RISK,
) -> Tool:
    """A tool of the list; `overall` is left out where the domains' own words serve."""
    whole = judgements if overall is None else overall
    return Tool(
        id=id,
        name=name,
        source=source,
        judgements=judgements,
        domains=tuple(domains.items()),
        overall=whole,
        high=tuple(word for word in whole if word in high),
        apart=tuple(word for word in whole if word in APART),
    )


_ALL = (
    _tool(
        "rob-2",
        "RoB 2",
        "Sterne and others, BMJ 2019;366:l4898",
        ("low", "some_concerns", "high"),
        {
            "randomisation": mark("how people were allocated"),
            "deviations": mark("departures from the intended intervention"),
            "missing": mark("missing outcome data"),
            "measurement": mark("how the outcome was measured"),
            "reporting": mark("which results were reported"),
        },
    ),
    _tool(
        "robins-i",
        "ROBINS-I",
        "Sterne and others, BMJ 2016;355:i4919",
        _OF_ROBINS_I,
        {
            "confounding": mark("other causes of the difference"),
            "selection": mark("who entered the study"),
            "classification": mark("who counts as having had the intervention"),
            "deviations": mark("departures from the intended intervention"),
            "missing": mark("missing data"),
            "measurement": mark("how the outcome was measured"),
            "reporting": mark("which results were reported"),
        },
    ),
    _tool(
        "robins-e",
        "ROBINS-E",
        "Higgins and others, Environ Int 2024;186:108602",
        _OF_ROBINS_E,
        {
            "confounding": mark("other causes of the difference"),
            "exposure": mark("how the exposure was measured"),
            "selection": mark("who entered the study"),
            "after-exposure": mark("what was done because of the exposure"),
            "missing": mark("missing data"),
            "measurement": mark("how the outcome was measured"),
            "reporting": mark("which results were reported"),
        },
    ),
    _tool(
        "casp-qualitative",
        "CASP qualitative",
        "Critical Appraisal Skills Programme, checklist for qualitative research, 2018",
        ("yes", "cant_tell", "no"),
        {
            "aims": mark("clear aims"),
            "method": mark("qualitative work fits them"),
            "design": mark("a fitting design"),
            "recruitment": mark("a fitting way to find people"),
            "collection": mark("data that answer the question"),
            "relationship": mark("researchers and participants"),
            "ethics": mark("care for those who took part"),
            "analysis": mark("a rigorous analysis"),
            "findings": mark("findings clearly stated"),
            "value": mark("what it adds"),
        },
        overall=_TEAMS_OWN,
    ),
    _tool(
        "jbi-qualitative",
        "JBI qualitative",
        "Lockwood and others, Int J Evid Based Healthc 2015;13:179-87",
        _OF_JBI,
        {
            "philosophy": mark("stance and method agree"),
            "question": mark("method and question agree"),
            "collection": mark("method and data agree"),
            "analysis": mark("method and analysis agree"),
            "interpretation": mark("method and interpretation agree"),
            "standpoint": mark("the researcher's standpoint"),
            "influence": mark("the researcher's influence"),
            "voices": mark("participants are heard"),
            "ethics": mark("ethical approval"),
            "conclusions": mark("conclusions follow from the data"),
        },
        overall=_TEAMS_OWN,
    ),
    _tool(
        "jbi-quasi-experimental",
        "JBI quasi-experimental",
        "Tufanaru and others, JBI Manual for Evidence Synthesis, chapter 3, 2017",
        _OF_JBI,
        {
            "cause": mark("clear which is cause, which effect"),
            "similar-people": mark("groups alike at the start"),
            "similar-care": mark("groups alike in other care"),
            "control": mark("a control group"),
            "repeated": mark("measured several times before and after"),
            "follow-up": mark("follow-up complete or explained"),
            "same-measure": mark("the same measure in each group"),
            "reliable": mark("a reliable measure"),
            "statistics": mark("fitting statistics"),
        },
        overall=_TEAMS_OWN,
    ),
    _tool(
        "mmat",
        "MMAT",
        "Hong and others, Mixed Methods Appraisal Tool, 2018",
        _OF_MMAT,
        {
            "question": mark("a clear question"),
            "data": mark("data that answer it"),
            "qualitative-approach": mark("qualitative: fitting approach"),
            "qualitative-collection": mark("qualitative: fitting data"),
            "qualitative-findings": mark("qualitative: findings from the data"),
            "qualitative-interpretation": mark("qualitative: interpretation backed by data"),
            "qualitative-coherence": mark("qualitative: a coherent whole"),
            "trial-randomisation": mark("trial: allocation"),
            "trial-baseline": mark("trial: groups alike at the start"),
            "trial-complete": mark("trial: complete data"),
            "trial-blind": mark("trial: assessors blinded"),
            "trial-adherence": mark("trial: intervention kept to"),
            "non-randomised-people": mark("not randomised: the right people"),
            "non-randomised-measures": mark("not randomised: fitting measures"),
            "non-randomised-complete": mark("not randomised: complete data"),
            "non-randomised-confounders": mark("not randomised: confounders allowed for"),
            "non-randomised-adherence": mark("not randomised: intervention as meant"),
            "descriptive-sampling": mark("descriptive: sampling"),
            "descriptive-people": mark("descriptive: the right people"),
            "descriptive-measures": mark("descriptive: fitting measures"),
            "descriptive-response": mark("descriptive: few did not answer"),
            "descriptive-statistics": mark("descriptive: fitting statistics"),
            "mixed-reason": mark("mixed: a reason to mix methods"),
            "mixed-integration": mark("mixed: parts brought together"),
            "mixed-interpretation": mark("mixed: what the whole means"),
            "mixed-divergence": mark("mixed: contradictions dealt with"),
            "mixed-quality": mark("mixed: each part is sound"),
        },
        overall=_TEAMS_OWN,
    ),
    _tool(
        "emmie-q",
        "EMMIE-Q",
        "Johnson, Tilley and Bowers, J Exp Criminol 2015;11:459-73",
        ("4", "3", "2", "1", "0"),
        {
            "effect": mark("does it work"),
            "mechanism": mark("how it works"),
            "moderators": mark("for whom and where"),
            "implementation": mark("what it takes"),
            "economics": mark("what it costs"),
        },
        overall=(),
    ),
    _tool(
        "qualitative-checklist",
        "qualitative checklist",
        "our own wording of what checklists for qualitative studies have in common",
        ("met", "partly_met", "not_met", "no_information"),
        {
            "aims": mark("a clear aim that asks for qualitative work"),
            "design": mark("a design that suits the aim"),
            "recruitment": mark("who was asked, and how they were found"),
            "collection": mark("how the material was collected"),
            "reflexivity": mark("what the researchers brought to it"),
            "ethics": mark("care for the people who took part"),
            "analysis": mark("a rigorous analysis"),
            "findings": mark("findings that are stated and supported"),
        },
        overall=_TEAMS_OWN,
    ),
)

TOOLS: Mapping[str, Tool] = {tool.name: tool for tool in _ALL}


@dataclass(frozen=True, slots=True)
class Judged:
    """One domain as it was judged: its id, what it is about, and the judgement."""

    domain: str
    label: str
    judgement: str


@dataclass(frozen=True, slots=True)
class Appraised:
    """What a study's appraisal is worth when findings are weighed.

    Attributes:
        overall: As typed; None: not judged.
        tool: Its name and version as typed; None: not named.
        rank: 0 is best; NOT_JUDGED where there is no judgement.
        high: It counts as high risk of bias.
        apart: It is shown and never decides.
    """

    overall: str | None
    tool: str | None
    domains: tuple[Judged, ...]
    rank: float
    high: bool
    apart: bool


def tools(review: Review) -> tuple[Tool, ...]:
    """Every tool that a form of this review may name: the protocol's own, then those of the list."""
    return (*review.tools, *TOOLS.values())


def tool_of(name: str | None, own: Sequence[Tool] = ()) -> Tool | None:
    """The tool that a name such as "RoB 2 (22 August 2019)" means; None for one that is not known.

    Args:
        name: as a form names it, with its version; or a tool's id.
        own: the protocol's own tools, which come first.
    """
    given = (name or "").casefold()
    for tool in (*own, *TOOLS.values()):
        if given == tool.id or given.startswith(tool.name.casefold()):
            return tool
    return None


def appraised(form: Extraction, own: Sequence[Tool] = ()) -> Appraised:
    """What a form's appraisal is worth, by its tool where that is known and by the shared words
    else.
    """
    tool = tool_of(form.risk_of_bias_tool, own)
    is_own = tool is not None and tool in own
    labels = dict(tool.domains) if tool else {}
    if not is_own:
        labels = {domain: say(label) for domain, label in labels.items()}
    domains = tuple(
        Judged(row.domain, labels.get(row.domain, row.domain), row.judgement)
        for row in form.appraisal
    )
    overall = form.risk_of_bias
    high = overall in (tool.high if is_own and tool else HIGH_RISK)
    apart = overall in (tool.apart if is_own and tool else APART)
    rank = _own_rank(tool, overall) if is_own and tool else risk_rank(overall)
    return Appraised(overall, form.risk_of_bias_tool, domains, rank, high or apart, apart)


def risk_rank(judgement: str | None) -> int:
    """Place of a shared overall judgement from best to worst; what was not judged comes last."""
    if judgement in _JUDGED:
        return _JUDGED.index(judgement)
    return NOT_JUDGED


def _own_rank(tool: Tool, judgement: str | None) -> float:
    """Where a judgement of a protocol's own tool stands among those of the list.

    Its best stands with `low`, the others that are not high with `moderate`, high ones with `high`
    and those apart with `critical`; a little behind for each step down.
    """
    if judgement not in tool.overall:
        return NOT_JUDGED
    place = tool.overall.index(judgement)
    step = place / (len(tool.overall) + 1)
    if judgement in tool.apart:
        return risk_rank("critical")
    if judgement in tool.high:
        return risk_rank("high") + step
    if place:
        return risk_rank("moderate") + step
    return risk_rank("low")


def in_words(judgement: str | None) -> str:
    """A judgement as people read it, in the language of the page."""
    if judgement is None:
        return say(mark("not judged"))
    known = WORDS.get(judgement)
    return say(known) if known else judgement.replace("_", " ")


def overall_choices(tool: Tool | None) -> tuple[str, ...]:
    """The overall judgements that a form may give with this tool.

    With one not known, the shared words.
    """
    return RISK_OF_BIAS if tool is None else tool.overall


def problems(
    name: str | None,
    overall: str | None,
    judgements: Sequence[Mapping[str, Any]],
    dot: str,
    own: Sequence[Tool] = (),
) -> list[str]:
    """What is wrong with the appraisal of a form: no tool, an unknown domain or judgement, a domain
    judged twice.

    A tool that is not known may have any domains and judgements. With a tool of the list an overall
    judgement may be any of the shared words: teams sum up in them, and old forms hold them.
    """
    tool = tool_of(name, own)
    wrong = _overall_problems(tool, overall, dot, own)
    if not judgements:
        return wrong
    if not name:
        known = ", ".join(known.name for known in (*own, *TOOLS.values()))
        return [
            *wrong,
            f"{dot}risk_of_bias_tool: must name the tool of the appraisal, such as {known}",
        ]
    domains = [judgement.get("domain") for judgement in judgements]
    twice = sorted({domain for domain in domains if domain and domains.count(domain) > 1})
    wrong += [f"{dot}appraisal: {domain} is judged twice" for domain in twice]
    if tool is None:
        return wrong
    known_domains = [domain for domain, _ in tool.domains]
    for row in judgements:
        if row.get("domain") not in (None, *known_domains):
            its = f"its domains: {', '.join(known_domains)}"
            wrong.append(f"{dot}appraisal: {tool.name} has no domain {row['domain']!r}; {its}")
        if row.get("judgement") not in (None, *tool.judgements):
            what = f"{tool.name} has no judgement {row['judgement']!r}"
            wrong.append(f"{dot}appraisal: {what}; it knows {', '.join(tool.judgements)}")
    return wrong


def _overall_problems(
    tool: Tool | None, overall: str | None, dot: str, own: Sequence[Tool]
) -> list[str]:
    if overall is None:
        return []
    if tool is not None and not tool.overall:
        return [f"{dot}risk_of_bias: {tool.name} gives no overall judgement; leave it out"]
    is_own = tool is not None and tool in own
    allowed = tool.overall if is_own and tool else RISK_OF_BIAS
    if overall in allowed:
        return []
    return [f"{dot}risk_of_bias: must be one of {', '.join(allowed)}, not {overall!r}"]
