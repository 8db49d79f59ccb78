"""The page for programs: where the data of a review are, and examples that run as they stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from livereview.evidence import measures
from livereview.evidence.finding import Finding
from livereview.messages import mark
from livereview.summary.addresses import Place

UNKNOWN = "https://REVIEWS.EXAMPLE/site/REVIEW/"
"""Stands for the review's folder where its protocol gives no address."""

FILES = (
    ("latest/summary.json", mark("All of the newest version, as its schema describes.")),
    ("latest/findings.csv", mark("The summary of findings: a row for each outcome.")),
    ("latest/contributions.csv", mark("What each study gives to each finding: to pool again.")),
    ("latest/changes.atom", mark("A feed of versions; changes.json is the same as a JSON Feed.")),
    ("latest/status.json", mark("How far the searches reach, and whether they are behind.")),
    ("latest/embed.html", mark("For a frame on your site.")),
    ("latest/badge.svg", mark("A badge: living review, and the day to which it is current.")),
)

PYTHON = """\
import csv

import requests

BASE = "{base}latest/"

answer = requests.get(BASE + "summary.json", timeout=30)
answer.raise_for_status()
summary = answer.json()
print(summary["answer"]["text"], summary["caveat"])
print("Searches complete to:", summary["status"]["searched_to_display"])
for finding in summary["findings"]:
    print(finding["outcome_label"], "-", finding["headline"], finding["certainty_display"])

# ask again later: 304 means that nothing has changed
again = requests.get(
    BASE + "summary.json", headers={{"If-None-Match": answer.headers.get("ETag", "")}}, timeout=30
)
print(again.status_code)

rows = requests.get(BASE + "contributions.csv", timeout=30)
rows.encoding = "utf-8"
for study in csv.DictReader(rows.text.splitlines()):
    if study["used"] == "yes":
        print(study["outcome"], study["label"], study["measure"], study["effect"])
"""

JAVASCRIPT = """\
const base = "{base}latest/";

const answer = await fetch(base + "summary.json");
if (!answer.ok) throw new Error(`${{answer.status}}`);
const summary = await answer.json();
console.log(summary.answer.text, summary.caveat);
console.log("Searches complete to:", summary.status.searched_to_display);
for (const finding of summary.findings) {{
  console.log(finding.outcome_label, "-", finding.headline, finding.certainty_display);
}}

// ask again later: 304 means that nothing has changed
const etag = answer.headers.get("ETag") ?? "";
const again = await fetch(base + "summary.json", {{ headers: {{ "If-None-Match": etag }} }});
console.log(again.status);
"""

R = """\
library(jsonlite)

base <- "{base}latest/"
summary <- fromJSON(paste0(base, "summary.json"))
cat(summary$answer$text, summary$caveat, "\\n")
cat("Searches complete to:", summary$status$searched_to_display, "\\n")

studies <- read.csv(paste0(base, "contributions.csv"), encoding = "UTF-8")
used <- subset(studies, used == "yes" & !is.na(ci_low))
print(used[c("outcome", "label", "measure", "effect", "ci_low", "ci_high")])
"""

POOLED = """\

# one finding pooled again, with the package metafor
library(metafor)
one <- subset(used, comparison == "{comparison}" & outcome == "{outcome}" & measure == "{measure}")
one$se <- ({log}(one$ci_high) - {log}(one$ci_low)) / (2 * qnorm(0.975))
rma(yi = {log}(effect), sei = se, data = one, slab = label, method = "REML")
"""

POWER_QUERY = """\
let
    Source = Csv.Document(
        Web.Contents("{base}latest/findings.csv"),
        [Delimiter = ",", Encoding = 65001, QuoteStyle = QuoteStyle.Csv]
    ),
    Findings = Table.PromoteHeaders(Source, [PromoteAllScalars = true])
in
    Findings
"""


def values(place: Place, findings: Sequence[Finding]) -> dict[str, Any]:
    """What the page's template reads besides the summary."""
    base = place.site or UNKNOWN
    return {
        "known": place.site is not None,
        "addresses": [(base + name, what) for name, what in FILES],
        "examples": [
            (
                "Python",
                mark(
                    "Prints the answer, each finding and the studies; needs the package requests."
                ),
                PYTHON.format(base=base),
            ),
            (
                "JavaScript",
                mark("In a module of any page, or in Node from version 18 on."),
                JAVASCRIPT.format(base=base),
            ),
            (
                "R",
                mark("Prints the answer and the studies; needs jsonlite, and metafor to pool."),
                R.format(base=base) + _pooled(findings),
            ),
            (
                "Excel",
                mark(
                    "Data, Get data, From other sources, Blank query, Advanced editor; then paste this."
                ),
                POWER_QUERY.format(base=base),
            ),
        ],
    }


def _pooled(findings: Sequence[Finding]) -> str:
    """The first pooled finding, worked out again in R; empty where none is pooled."""
    for finding in findings:
        estimate = finding.estimate
        if estimate is None or estimate.studies < 2:
            continue
        return POOLED.format(
            comparison=finding.comparison,
            outcome=finding.outcome,
            measure=estimate.measure,
            log="log" if measures.MEASURES[estimate.measure].ratio else "identity",
        )
    return ""
