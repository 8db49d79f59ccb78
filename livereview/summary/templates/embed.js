// <script type="module" src=".../latest/embed.js"></script> <living-review src=".../latest/summary.json">Fallback</living-review>
// Shows answer, caveat, version, search date and certainty of a review; text only, no cookies, nothing sent anywhere else.
// src in latest/ follows the newest version, src in v/7/ stays with version 7. Where nothing can be read, the text inside
// the element stays.
const style = ":host{display:block}.box{all:initial;color-scheme:light dark;display:block;border:1px solid;border-radius:8px;padding:.8em 1em;font:medium/1.5 system-ui,sans-serif;color:CanvasText;background:Canvas;overflow-wrap:anywhere}p{margin:.3em 0}.quiet{font-size:.875em}a{color:LinkText}";

class LivingReview extends HTMLElement {
  async connectedCallback() {
    try {
      const source = new URL(this.getAttribute("src") || "summary.json", document.baseURI);
      const answer = await fetch(source, { credentials: "omit" });
      if (answer.ok) this.draw(await answer.json(), source);
      else await this.mourn(source, answer.status);
    } catch (problem) {
      this.dataset.problem = String(problem.message || problem);
    }
  }

  // A withdrawn version leaves a notice beside what was its data.
  async mourn(source, status) {
    const answer = await fetch(new URL("tombstone.json", source), { credentials: "omit" });
    const t = answer.ok || answer.status === 410 ? await answer.json() : {};
    if (!t.withdrawn) throw new Error(`answer ${status}`);
    const said = this.line("p", `Version ${t.version} was withdrawn on ${t.date_display}. Why: ${t.reason}`);
    const instead = t.read_instead ? this.link(`Read version ${t.read_instead.version}`, new URL(t.read_instead.address, source)) : "";
    this.show(this.link(t.title, new URL("./", source)), said, instead);
    this.dataset.problem = "withdrawn";
  }

  draw(s, source) {
    const rated = (s.findings ?? s.outcomes).filter((one) => one.certainty?.level).map((one) => `${one.outcome_label ?? one.label}: ${one.certainty.level.replaceAll("_", " ")}`); // before schema 2: outcomes
    const told = this.line("p", `Version ${s.version.number}, ${s.version.date_display}. Searches complete to: ${s.status.searched_to_display}. ` +
      `Certainty: ${rated.length ? rated.join("; ") : "not rated"}.` + (s.status.state === "retired" ? " Retired: no longer updated." : "") +
      (s.status.stale ? " The searches are behind: it may miss newer studies." : ""));
    told.className = "quiet";
    const pinned = /\/v\/\d+\/[^/]*$/.test(source.pathname);
    const newer = pinned ? this.link("The newest version", new URL("../../latest/", source)) : "";
    this.show(this.link(s.review.title, new URL("./", source)), this.line("p", s.answer.text), s.caveat ? this.line("p", s.caveat) : "", told, newer);
  }

  show(...parts) {
    const root = this.shadowRoot || this.attachShadow({ mode: "open" });
    const box = this.line("div", ""); // the host page's own style ends here
    box.className = "box";
    box.append(...parts);
    root.replaceChildren(this.line("style", style), box);
  }

  line(tag, text) {
    const made = document.createElement(tag);
    made.textContent = text;
    return made;
  }

  link(text, address) {
    const made = this.line("p", ""), link = this.line("a", text);
    if (/^https?:$/.test(address.protocol)) link.href = address.href;
    made.append(link);
    return made;
  }
}

if (!customElements.get("living-review")) customElements.define("living-review", LivingReview);
