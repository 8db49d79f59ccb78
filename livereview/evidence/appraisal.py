"""Tools of appraisal as data: their domains, and the judgements that each knows. A tool is named with its version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Tool:
    """`domains` in the tool's order, id and what it is about; `judgements` from best to worst."""

    name: str
    domains: tuple[tuple[str, str], ...]
    judgements: tuple[str, ...]
    source: str


TOOLS: Mapping[str, Tool] = {
    "RoB 2": Tool(
        "RoB 2",
        (
            ("randomisation", "how people were allocated"),
            ("deviations", "departures from the intended intervention"),
            ("missing", "missing outcome data"),
            ("measurement", "how the outcome was measured"),
            ("reporting", "which results were reported"),
        ),
        ("low", "some_concerns", "high"),
        "Sterne and others, BMJ 2019;366:l4898",
    ),
    "ROBINS-I": Tool(
        "ROBINS-I",
        (
            ("confounding", "other causes of the difference"),
            ("selection", "who entered the study"),
            ("classification", "who counts as having had the intervention"),
            ("deviations", "departures from the intended intervention"),
            ("missing", "missing data"),
            ("measurement", "how the outcome was measured"),
            ("reporting", "which results were reported"),
        ),
        ("low", "moderate", "serious", "critical", "no_information"),
        "Sterne and others, BMJ 2016;355:i4919",
    ),
    "qualitative checklist": Tool(
        "qualitative checklist",
        (
            ("aims", "a clear aim that asks for qualitative work"),
            ("design", "a design that suits the aim"),
            ("recruitment", "who was asked, and how they were found"),
            ("collection", "how the material was collected"),
            ("reflexivity", "what the researchers brought to it"),
            ("ethics", "care for the people who took part"),
            ("analysis", "a rigorous analysis"),
            ("findings", "findings that are stated and supported"),
        ),
        ("met", "partly_met", "not_met", "no_information"),
        "our own wording of what checklists for qualitative studies have in common",
    ),
}


def tool_of(name: str | None) -> Tool | None:
    """The tool that a name such as "RoB 2 (22 August 2019)" means; None for one that is not known here."""
    return next((tool for key, tool in TOOLS.items() if (name or "").casefold().startswith(key.casefold())), None)


def problems(name: str | None, judgements: Sequence[Mapping[str, Any]], dot: str) -> list[str]:
    """What is wrong with the judgements of a form: no tool, an unknown domain or judgement, a domain judged twice.

    A tool that is not in TOOLS may have any domains and judgements.
    """
    if not judgements:
        return []
    if not name:
        return [f"{dot}risk_of_bias_tool: must name the tool of the appraisal, such as {', '.join(TOOLS)}"]
    domains = [judgement.get("domain") for judgement in judgements]
    found = [
        f"{dot}appraisal: {domain} is judged twice"
        for domain in sorted({d for d in domains if domains.count(d) > 1 and d})
    ]
    tool = tool_of(name)
    if tool is None:
        return found
    known = [domain for domain, _ in tool.domains]
    for row in judgements:
        if row.get("domain") not in (None, *known):
            found.append(
                f"{dot}appraisal: {tool.name} has no domain {row['domain']!r}; its domains: {', '.join(known)}"
            )
        if row.get("judgement") not in (None, *tool.judgements):
            words = f"{tool.name} has no judgement {row['judgement']!r}"
            found.append(f"{dot}appraisal: {words}; it knows {', '.join(tool.judgements)}")
    return found
