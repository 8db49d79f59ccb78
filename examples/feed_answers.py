"""What feeds would show of works of an example's catalogue: a journal's latest articles, a site's
latest reports.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import urlsplit

from source_answers import Work, as_xml, full_date, people, put

from livereview.review import Search

SPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "prism": "http://prismstandard.org/namespaces/basic/2.0/",
}
# The catalogue has no addresses of reports, so entries link to the source of their facts (without
# its DOI: not theirs).
LIBRARY = "https://zenodo.org/records/18255859"


def rss(works: list[Work], search: Search, until: datetime) -> bytes:
    """A journal's list of its latest articles, as Atypon's sites send it."""
    for prefix, space in SPACES.items():
        ET.register_namespace(prefix, space)
    root = ET.Element("rss", version="2.0")
    channel = ET.SubElement(root, "channel")
    put(channel, "title", search.platform)
    put(channel, "link", site(search))
    put(channel, "description", "List of articles from the latest issues.")
    put(channel, "pubDate", format_datetime(until))
    for work in newest(works):
        _rss_item(ET.SubElement(channel, "item"), work, search)
    return as_xml(root)


def _rss_item(item: ET.Element, work: Work, search: Search) -> None:
    dc, prism = (f"{{{SPACES[prefix]}}}" for prefix in ("dc", "prism"))
    first, _, last = (work.get("pages") or "").partition("-")
    put(item, "title", work["title"])
    put(item, "link", f"{site(search)}/doi/{work['doi']}?af=R")
    ET.SubElement(item, "guid", isPermaLink="false").text = work["doi"]
    put(
        item, "pubDate", format_datetime(datetime.fromisoformat(work["served"]).replace(tzinfo=UTC))
    )
    put(
        item,
        "description",
        f"{work['container_title']}, Volume {work['volume']}, Issue {work['issue']}.",
    )
    put(item, dc + "creator", ", ".join(f"{given} {family}" for family, given in people(work)))
    put(item, prism + "publicationName", work["container_title"])
    put(item, prism + "volume", work.get("volume"))
    put(item, prism + "number", work.get("issue"))
    put(item, prism + "startingPage", first)
    put(item, prism + "endingPage", last)
    put(item, prism + "coverDate", full_date(work))
    put(item, prism + "doi", work["doi"])


def atom(works: list[Work], search: Search, until: datetime) -> bytes:
    """A list of publications in the shape of GOV.UK's feeds: no author, one date, an id that never
    changes.
    """
    root = ET.Element("feed", {"xml:lang": "en-GB", "xmlns": "http://www.w3.org/2005/Atom"})
    host = urlsplit(site(search)).hostname
    put(root, "id", f"tag:{host},2005:{urlsplit(search.url or '').path}")
    ET.SubElement(root, "link", rel="alternate", type="text/html", href=site(search))
    put(root, "title", "Research and reports")
    put(
        root,
        "updated",
        newest(works)[0]["served"] + "T09:30:00+00:00" if works else until.isoformat(),
    )
    for work in newest(works):
        path = f"/publications/{work['key']}"
        entry = ET.SubElement(root, "entry")
        put(entry, "id", f"tag:{host},2005:{path}")
        put(entry, "updated", f"{work['served']}T09:30:00+00:00")
        ET.SubElement(
            entry, "link", rel="alternate", type="text/html", href=f"{LIBRARY}#{work['key']}"
        )
        put(entry, "title", work["title"])
        ET.SubElement(
            entry, "summary", type="html"
        ).text = f"{work['container_title']}, {work['year']}."
    return as_xml(root)


def newest(works: list[Work]) -> list[Work]:
    return sorted(works, key=lambda work: (work["served"], work["key"]), reverse=True)


def site(search: Search) -> str:
    """The address of the site that a feed belongs to."""
    parts = urlsplit(search.url or "")
    return f"{parts.scheme}://{parts.netloc}"
