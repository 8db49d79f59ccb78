"""A published version can be checked, cited and followed back by programs.

And no reviewer's name leaks on the way.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from livereview.errors import Refused
from livereview.summary import crate, model
from livereview.summary.model import Summary
from livereview.summary.site import build, draft
from tests.snapshots import MOMENT, fact, published, result, review, snapshot, study

FILES = {
    "summary.json": b"{}",
    "v x/studies.csv": b"a,b\n",
    "prisma.svg": b"<svg/>",
    "odd.bin": b"\x00",
}


def summary(**changes: Any) -> Summary:
    """The second version of a review with two studies, signed by a lead."""
    forms = study("doe-2020", result(n=40)), study("roe-2021", result())
    first = build(snapshot(forms[0]), 1, "an extraction")
    later = snapshot(
        *forms, history=(published(first),), moment=MOMENT + timedelta(days=1), **changes
    )
    return draft(later, 2, "an extraction", signed_by="lena-the-lead").summary


def graph(given: Summary, files: dict[str, bytes] = FILES) -> dict[str, dict[str, Any]]:
    return {one["@id"]: one for one in json.loads(crate.crate(given, files))["@graph"]}


def test_the_crate_has_what_ro_crate_requires() -> None:
    given = summary()
    document = json.loads(crate.crate(given, FILES))
    assert document["@context"][0] == "https://w3id.org/ro/crate/1.1/context"
    nodes = graph(given)
    assert len(nodes) == len(document["@graph"])
    descriptor, root = nodes["ro-crate-metadata.json"], nodes["./"]
    assert descriptor == {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"},
    }
    assert (
        root["@type"] == "Dataset" and root["name"] == given.review.title and root["version"] == "2"
    )
    assert root["datePublished"] == given.version.date
    assert given.answer.text in root["description"] and given.caveat in root["description"]


def test_the_crate_is_flat_and_every_reference_leads_to_an_entity() -> None:
    nodes = graph(summary())
    root = nodes["./"]
    for key in ("hasPart", "author"):
        assert root[key] and all(set(one) == {"@id"} and one["@id"] in nodes for one in root[key])
    assert nodes[root["license"]["@id"]]["@type"] == "CreativeWork"
    assert all(isinstance(one["@id"], str) and one["@type"] for one in nodes.values())


def test_each_file_has_its_size_hash_and_media_type() -> None:
    nodes = graph(summary(), {**FILES, "SHA256SUMS": b"x", "ro-crate-metadata.json": b"old"})
    parts = [one["@id"] for one in nodes["./"]["hasPart"]]
    assert parts == ["odd.bin", "prisma.svg", "summary.json", "v%20x/studies.csv"]
    table = nodes["v%20x/studies.csv"]
    assert (table["@type"], table["name"], table["contentSize"]) == ("File", "v x/studies.csv", "4")
    assert table["sha256"] == hashlib.sha256(b"a,b\n").hexdigest()
    kinds = [nodes[part]["encodingFormat"] for part in parts]
    assert kinds == ["application/octet-stream", "image/svg+xml", "application/json", "text/csv"]


def test_every_file_of_a_version_has_a_media_type() -> None:
    made = build(snapshot(study("doe-2020", result())), 1, "an extraction")
    assert [name for name in made.files if crate.encoding(name) == "application/octet-stream"] == []


def test_authors_are_people_or_bodies() -> None:
    given = summary()
    authors = ("Doe, Jane", "The livereview example", "Department of Health")
    given = given.model_copy(
        update={"review": given.review.model_copy(update={"authors": authors})}
    )
    nodes = graph(given)
    kinds = [nodes[one["@id"]]["@type"] for one in nodes["./"]["author"]]
    assert kinds == ["Person", "Organization", "Organization"]


# Provenance
# -----------------------------------------------------------------------------------------------------------


def test_provenance_leads_from_each_search_to_the_version() -> None:
    given = summary()
    prov = json.loads(crate.provenance(given))
    assert prov["prefix"]["review"].startswith("tag:livereview,2026:")
    made = {one["prov:entity"]: one["prov:activity"] for one in prov["wasGeneratedBy"].values()}
    used = {(one["prov:activity"], one["prov:entity"]) for one in prov["used"].values()}
    searches = [search.name for search in given.status.searches]
    assert searches
    for name in searches:
        assert made[f"review:found/{name}"] == f"review:search/{name}"
        assert ("review:screening", f"review:found/{name}") in used
    assert (
        made["review:included"] == "review:screening"
        and ("review:extraction", "review:included") in used
    )
    assert (
        made["review:extractions"] == "review:extraction"
        and ("review:synthesis", "review:extractions") in used
    )
    assert (
        made["review:claims"] == "review:synthesis"
        and ("review:publication", "review:claims") in used
    )
    assert made["review:v/2"] == "review:publication"


def test_every_relation_names_what_the_document_declares() -> None:
    prov = json.loads(crate.provenance(summary()))
    known = {"entity": "prov:entity", "activity": "prov:activity", "agent": "prov:agent"}
    ends = {**{role: kind for kind, role in known.items()}, "prov:plan": "entity"}
    ends |= {"prov:generatedEntity": "entity", "prov:usedEntity": "entity"}
    checked = 0
    for relation in (
        "used",
        "wasGeneratedBy",
        "wasAssociatedWith",
        "wasAttributedTo",
        "wasDerivedFrom",
    ):
        for one in prov[relation].values():
            for role in set(one) - {"prov:type"}:
                assert one[role] in prov[ends[role]], (relation, one)
                checked += 1
    assert checked > 30


def test_the_rules_the_figures_and_the_predecessor_are_told() -> None:
    given = summary()
    prov = json.loads(crate.provenance(given))
    rules = prov["activity"]["review:synthesis"]["review:rule"]
    assert rules == [f"{rule.id} {rule.version}" for rule in given.rules]
    assert [rule.split()[0] for rule in rules] == ["finding", "effect-quality", "change-class"]
    found = prov["entity"]["review:found/" + given.status.searches[0].name]
    assert found["review:records"] == 12 and found["review:query"] == "mentoring AND care"
    assert prov["entity"]["review:extractions"]["review:studies"] == 2
    revisions = [one for one in prov["wasDerivedFrom"].values() if "prov:type" in one]
    assert [one["prov:usedEntity"] for one in revisions] == ["review:v/1"]


def test_a_first_version_has_no_predecessor_and_a_search_that_never_ran_no_result() -> None:
    protocol = review()
    plans = [fact(search.name) for search in protocol.searches]
    never = replace(plans[0], last_at=None, last_outcome=None, last_success=None, found=0)
    snap = snapshot(study("doe-2020", result()), searches=(never, *plans[1:]))
    prov = json.loads(crate.provenance(draft(snap, 1, "an extraction").summary))
    assert "review:v/0" not in prov["entity"] and len(prov["wasDerivedFrom"]) == 1
    assert f"review:found/{never.name}" not in prov["entity"]
    assert f"review:search/{never.name}" not in prov["activity"]


# Checksums
# ------------------------------------------------------------------------------------------------------------


def test_the_sums_are_sorted_and_leave_themselves_out() -> None:
    lines = crate.sums({**FILES, "SHA256SUMS": b"old"}).decode().splitlines()
    assert [line.partition("  ")[2] for line in lines] == sorted(FILES)
    assert lines[0] == f"{hashlib.sha256(FILES['odd.bin']).hexdigest()}  odd.bin"
    assert crate.sums(dict(reversed(FILES.items()))) == crate.sums(FILES)


def test_a_name_that_would_break_a_line_is_refused() -> None:
    with pytest.raises(Refused, match="rename"):
        crate.sums({"a\nb": b""})


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="needs the program sha256sum")
def test_sha256sum_checks_them(tmp_path: Path) -> None:
    files = {**FILES, "ro-crate-metadata.json": crate.crate(summary(), FILES)}
    for name, body in {**files, "SHA256SUMS": crate.sums(files)}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(body)
    checked = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0 and checked.stdout.count(": OK") == len(files), checked.stderr
    (tmp_path / "odd.bin").write_bytes(b"changed")
    again = subprocess.run(
        ["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path, capture_output=True, check=False
    )
    assert again.returncode == 1


# The page
# -------------------------------------------------------------------------------------------------------------


def test_people_stand_in_provenance_by_role_only_but_for_the_declared_authors() -> None:
    given = summary(searches=tuple(fact(search.name) for search in review().searches))
    told = crate.provenance(given).decode() + crate.crate(given, FILES).decode()
    assert "lena-the-lead" not in told and given.review.authors[0] in told


def test_the_same_summary_gives_the_same_bytes_in_any_order_of_files() -> None:
    given, turned = summary(), dict(reversed(FILES.items()))
    assert crate.crate(given, FILES) == crate.crate(
        Summary.model_validate(model.plain(given)), turned
    )
    assert crate.provenance(given) == crate.provenance(Summary.model_validate(model.plain(given)))


def test_a_review_without_studies_is_described_too() -> None:
    given = draft(snapshot(), 1, "a search").summary
    assert {"./", "ro-crate-metadata.json"} <= set(graph(given)) and json.loads(
        crate.provenance(given)
    )
