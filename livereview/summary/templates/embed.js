// <script type="module" src=".../latest/embed.js"></script> <living-review src=".../latest/summary.json">Fallback</living-review>
// Shows answer, caveat, version, search date and certainty of a review; text only, no cookies, nothing sent anywhere else.
const style = ":host{display:block;border:1px solid;border-radius:8px;padding:.8rem 1rem;font:1rem/1.5 system-ui,sans-serif}p{margin:.3rem 0}.quiet{font-size:.85rem;opacity:.85}";

class LivingReview extends HTMLElement {
  async connectedCallback() {
    const source = new URL(this.getAttribute("src") || "summary.json", document.baseURI);
    try {
      const answer = await fetch(source, { credentials: "omit" });
      if (!answer.ok) throw new Error(answer.status === 410 ? "withdrawn" : `answer ${answer.status}`);
      this.draw(await answer.json(), source);
    } catch (problem) {
      this.dataset.problem = String(problem.message || problem); // the text inside the element stays
    }
  }

  draw(s, source) {
    const root = this.shadowRoot || this.attachShadow({ mode: "open" });
    const line = (tag, text, quiet) => {
      const made = document.createElement(tag);
      made.textContent = text;
      if (quiet) made.className = "quiet";
      return made;
    };
    const rated = s.outcomes.filter((one) => one.certainty.level).map((one) => `${one.label}: ${one.certainty.level.replace("_", " ")}`);
    const link = line("a", s.review.title);
    link.href = new URL("./", source).href;
    const sheet = line("style", style);
    const title = document.createElement("p");
    title.append(link);
    root.replaceChildren(sheet, title, line("p", s.answer.text), line("p", s.caveat), line("p",
      `Version ${s.version.number}, ${s.version.date_display}. Searches complete to: ${s.status.searched_to_display}. ` +
      `Certainty: ${rated.length ? rated.join("; ") : "not rated"}.` + (s.status.stale ? " The searches are behind: it may miss newer studies." : ""), true));
  }
}

if (!customElements.get("living-review")) customElements.define("living-review", LivingReview);
