// A PDF beside a record or a form, drawn by PDF.js. Quotes stand marked in their places; what is selected becomes a quote of
// a field; a link to a quote goes there. Without this file the links in <pdf-reader> lead to the text of each page.

const HERE = new URL(".", import.meta.url);
const FITS = { "page-width": "Fit width", "page-fit": "Whole page", 0.75: "75%", 1: "100%", 1.5: "150%", 2: "200%", 3: "300%" };
const REMEMBERED = "livereview:pdfs";
const MOST_REMEMBERED = 100; // files whose page a browser remembers
const LONGEST_QUOTE = 5000; // characters; the server looks for no more
const ABOVE = 60; // points of the page that stay in sight above a quote that is gone to

let library = null;
const load = () => {
  library ??= (async () => {
    const pdfjs = await import("./pdfjs/pdf.min.mjs");
    pdfjs.GlobalWorkerOptions.workerSrc = new URL("pdfjs/pdf.worker.min.mjs", HERE).href;
    return { pdfjs, parts: await import("./pdfjs/pdf_viewer.mjs") };
  })();
  return library;
};

// A script-made element: h("button", { type: "button" }, "Words").
const h = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null));
  return element;
};
// Fields of the reader belong to no form: what is typed in them is never sent with a decision.
const button = (words, label, onclick) => h("button", { type: "button", "aria-label": label, onclick }, words);
const field = (attributes) => h("input", { form: "none", autocomplete: "off", ...attributes });

const remembered = () => {
  try { return JSON.parse(localStorage.getItem(REMEMBERED)) || {}; } catch { return {}; }
};
const remember = (sha256, where) => {
  const all = remembered();
  delete all[sha256]; // the last that was read stands last
  all[sha256] = where;
  const kept = Object.entries(all).slice(-MOST_REMEMBERED);
  try { localStorage.setItem(REMEMBERED, JSON.stringify(Object.fromEntries(kept))); } catch { /* a private window: it opens at the first page */ }
};

// What was selected, as a quote: one line, without hyphens at line ends, and with letters for ligatures.
const asQuote = (selected) => selected
  .replace(/[\ufb00-\ufb06]/g, (ligature) => ligature.normalize("NFKC"))
  .replace(/[\u00ad\ufffe\u0002]/g, "")
  .replace(/(\p{L})[-‐]\s*\n\s*(?=\p{Ll})/gu, "$1")
  .replace(/\s+/g, " ")
  .trim();

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
// As the record's own words are marked: whole words, an English plural, * for any ending.
const pattern = (terms) => {
  const one = (term) => term.replace(/\*+$/, "").trim().split(/\s+/).map(escaped).join("\\s+")
    + (term.endsWith("*") ? "[\\p{L}\\p{N}_]*" : "(?:e?s)?");
  const wanted = terms.filter((term) => term.replace(/[ *]/g, "")).sort((a, b) => b.length - a.length).map(one);
  return wanted.length ? new RegExp(`(?<![\\p{L}\\p{N}_])(?:${wanted.join("|")})(?![\\p{L}\\p{N}_])`, "giu") : null;
};

class PdfReader extends HTMLElement {
  connectedCallback() {
    this.facts = JSON.parse(this.dataset.facts);
    if (!this.facts.files.length || this.frame) return;
    this.marks = [...this.facts.marks];
    this.pointed = this.facts.start?.boxes || [];
    this.file = this.facts.files[0];
    this.patterns = Object.entries(this.facts.terms).map(([kind, terms]) => [kind, pattern(terms)]).filter(([, found]) => found);
    this.ranges = new Map(); // by page: [kind, Range]
    this.ending = new AbortController();
    this.build();
    this.listen();
  }

  disconnectedCallback() {
    this.ending?.abort();
    this.shut();
    for (const kind of ["include", "exclude"]) globalThis.CSS?.highlights?.delete(`reader-${kind}`);
  }

  // ---- what is around the pages

  build() {
    const { files } = this.facts;
    this.which = files.length > 1
      ? h("select", { form: "none", class: "which", "aria-label": "File", onchange: () => this.show(files[this.which.selectedIndex]) },
        ...files.map((file) => h("option", {}, file.name)))
      : null;
    this.number = field({ class: "page-number", inputmode: "numeric", "aria-label": "Page", onchange: () => this.toPage(Number(this.number.value)) });
    this.total = h("span", {});
    this.zoom = h("select", { form: "none", "aria-label": "Zoom", onchange: () => this.scaleTo(this.zoom.value) },
      ...Object.entries(FITS).map(([value, words]) => h("option", { value }, words)));
    this.zoom.value = "page-width";
    this.search = field({ type: "search", class: "look-for", placeholder: "Search", "aria-label": "Search in the PDF", oninput: () => this.look(""), onkeydown: (event) => this.searchKey(event) });
    this.count = h("span", { role: "status" });
    this.outlineButton = this.opener("Outline", "outline");
    this.outlineButton.hidden = true;
    this.quotesButton = this.opener("Quotes", "quotes");
    this.alone = h("a", { target: "_blank", rel: "noopener" }, "Open alone");
    this.tools = h("div", { class: "reader-tools", role: "group", "aria-label": "The PDF" },
      this.which,
      h("div", {}, button("‹", "Previous page", () => this.toPage(this.page - 1)), this.number, this.total, button("›", "Next page", () => this.toPage(this.page + 1))),
      h("div", {}, button("−", "Smaller", () => this.viewer?.decreaseScale()), this.zoom, button("+", "Larger", () => this.viewer?.increaseScale())),
      h("div", {}, this.search, button("↑", "Previous match", () => this.look("again", true)), button("↓", "Next match", () => this.look("again")), this.count),
      h("div", {}, this.outlineButton, this.quotesButton, this.alone));
    this.side = h("div", { class: "reader-side", tabindex: "-1", hidden: "" });
    this.pages = h("div", { class: "pdfViewer" });
    this.scroll = h("div", { class: "reader-pages", tabindex: "0", role: "region", "aria-label": "Pages of the PDF" }, this.pages);
    this.frame = h("div", { class: "reader-frame" }, this.scroll);
    this.target = h("select", { form: "none", "aria-label": "Use as" });
    this.picked = h("q", { dir: "auto" });
    this.pick = h("div", { class: "reader-pick", role: "group", "aria-label": "Selected words", hidden: "" },
      this.picked, this.target, h("button", { type: "button", onclick: () => this.use() }, "Use as quote"));
    this.line = h("p", { class: "reader-line", role: "status" });
    this.replaceChildren(h("div", { class: "reader" }, this.tools, this.pick, this.line, this.side, this.frame));
    this.tabs();
    this.countQuotes();
  }

  opener(words, name) {
    return h("button", { type: "button", "aria-expanded": "false", onclick: () => this.openSide(name) }, words);
  }

  // On a narrow screen the words or the PDF are shown.
  tabs() {
    const around = this.closest(".with-reader");
    if (!around) return;
    around.dataset.shown ??= "words";
    const tab = (name, words) => h("button", { type: "button", "data-tab": name, onclick: () => this.toTab(name) }, words);
    const row = h("div", { class: "reader-tabs", role: "group", "aria-label": "What is shown" }, tab("words", around.dataset.words || "Form"), tab("pdf", "PDF"));
    around.querySelector(".reader-tabs")?.remove();
    around.prepend(row);
    this.toTab(around.dataset.shown);
  }

  toTab(name) {
    const around = this.closest(".with-reader");
    if (!around) return;
    around.dataset.shown = name;
    for (const tab of around.querySelectorAll("[data-tab]")) tab.setAttribute("aria-pressed", String(tab.dataset.tab === name));
  }

  tell(words, bad = false) {
    if (this.line.textContent !== words) this.line.textContent = words;
    this.line.classList.toggle("bad", bad);
  }

  listen() {
    const { signal } = this.ending;
    // Nothing is loaded before there is room to show it, as on a phone behind the other tab.
    const sized = new ResizeObserver(() => {
      if (!this.scroll.clientWidth) return;
      if (!this.opening) this.show(this.file, this.facts.start);
      else if (this.viewer?.pagesCount && Number.isNaN(Number(this.viewer.currentScaleValue))) this.viewer.currentScaleValue = this.zoom.value;
    });
    sized.observe(this.scroll);
    signal.addEventListener("abort", () => sized.disconnect());
    document.addEventListener("selectionchange", () => this.selected(), { signal });
    document.addEventListener("click", (event) => this.clicked(event), { signal });
    document.addEventListener("change", (event) => { if (event.target.matches("[data-quote='check']")) this.check(event.target); }, { signal });
    document.addEventListener("focusin", (event) => { if (event.target.matches("[data-quote]")) this.wanted = event.target; }, { signal });
    this.addEventListener("keydown", (event) => this.key(event), { signal });
  }

  key(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select")) return;
    const acts = {
      "/": () => this.search.select(),
      "+": () => this.viewer?.increaseScale(),
      "-": () => this.viewer?.decreaseScale(),
      ArrowLeft: () => this.toPage(this.page - 1),
      ArrowRight: () => this.toPage(this.page + 1),
    };
    if (!acts[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    acts[event.key]();
  }

  searchKey(event) {
    if (event.key === "Enter") { event.preventDefault(); this.look("again", event.shiftKey); }
    if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); this.scroll.focus(); }
  }

  // ---- one file

  get page() { return this.viewer?.currentPageNumber || 1; }

  async show(file, start = null) {
    this.opening = true;
    this.shut();
    this.file = file;
    if (this.which) this.which.selectedIndex = this.facts.files.indexOf(file);
    this.alone.href = file.view;
    this.alone.hidden = location.pathname === file.view;
    this.outlineButton.hidden = true;
    this.closeSide();
    this.tell(`Opening ${file.name} …`);
    try {
      const { pdfjs, parts } = await load();
      const task = pdfjs.getDocument({
        url: file.bytes, cMapUrl: new URL("pdfjs/cmaps/", HERE).href, standardFontDataUrl: new URL("pdfjs/standard_fonts/", HERE).href,
        wasmUrl: new URL("pdfjs/wasm/", HERE).href, useWasm: false, useWorkerFetch: false, enableXfa: false, isEvalSupported: false,
      });
      this.task = task;
      const pdf = await task.promise;
      if (this.task !== task || !this.isConnected) return void task.destroy();
      this.pdf = pdf;
      this.draw(parts, start);
      this.tell("");
      this.outline(await pdf.getOutline());
    } catch (error) {
      if (this.file === file && this.isConnected) this.tell(this.failure(error), true);
    }
  }

  failure(error) {
    if (error.name === "PasswordException") return "It opens with a password only; add a copy without one.";
    if (error.name === "InvalidPDFException") return "It can’t be read as a PDF; save it again from the publisher’s page.";
    if (error.status === 401 || error.status === 403) return "Your session has ended: sign in again in another tab, then reload this page.";
    if (error.status === 422) return "It can’t be shown: it opens with a password only, is damaged, or holds what may run. Add another copy.";
    return `It could not be opened: ${error.message}`;
  }

  draw(parts, start) {
    this.pages.replaceChildren();
    const events = new parts.EventBus();
    const links = new parts.PDFLinkService({ eventBus: events, externalLinkTarget: parts.LinkTarget.BLANK, externalLinkRel: "noopener noreferrer nofollow" });
    const finder = new parts.PDFFindController({ eventBus: events, linkService: links });
    this.viewer = new parts.PDFViewer({
      container: this.scroll, viewer: this.pages, eventBus: events, linkService: links, findController: finder,
      annotationMode: 1, textLayerMode: 1, enableAutoLinking: false, removePageBorders: true, enableSelectionRendering: false,
    });
    this.events = events;
    this.links = links;
    links.setViewer(this.viewer);
    const before = remembered()[this.file.sha256] || {};
    events.on("pagesinit", () => {
      this.scaleTo(before.scale || "page-width");
      this.total.textContent = `of ${this.viewer.pagesCount}`;
      if (start) this.goTo({ page: start.page, boxes: start.boxes });
      else if (before.page > 1) this.viewer.currentPageNumber = before.page;
      this.number.value = this.page;
      this.look("");
    });
    events.on("pagechanging", () => { this.number.value = this.page; this.keepPlace(); });
    events.on("scalechanging", () => this.scaled());
    events.on("pagerendered", ({ pageNumber }) => this.overlay(pageNumber));
    events.on("textlayerrendered", ({ pageNumber }) => this.markTerms(pageNumber));
    events.on("updatetextlayermatches", ({ pageIndex }) => requestAnimationFrame(() => this.markTerms(pageIndex + 1)));
    events.on("updatefindmatchescount", ({ matchesCount }) => this.counted(matchesCount));
    events.on("updatefindcontrolstate", ({ state, matchesCount }) => this.counted(matchesCount, state));
    this.viewer.setDocument(this.pdf);
    links.setDocument(this.pdf);
  }

  shut() {
    this.viewer?.setDocument(null);
    this.viewer = null;
    this.task?.destroy();
    this.task = null;
    this.ranges?.clear();
  }

  keepPlace() {
    remember(this.file.sha256, { page: this.page, scale: this.zoom.value });
  }

  toPage(number) {
    if (!this.viewer || !Number.isInteger(number)) return;
    this.viewer.currentPageNumber = Math.max(1, Math.min(this.viewer.pagesCount, number));
    this.number.value = this.page;
  }

  scaleTo(value) {
    if (this.viewer) this.viewer.currentScaleValue = value;
  }

  scaled() {
    const value = String(this.viewer.currentScaleValue);
    let option = [...this.zoom.options].find((choice) => choice.value === value);
    if (!option) {
      this.zoom.querySelector("[data-own]")?.remove();
      option = h("option", { value, "data-own": "" }, `${Math.round(this.viewer.currentScale * 100)}%`);
      this.zoom.append(option);
    }
    this.zoom.value = value;
    this.keepPlace();
  }

  // ---- search

  look(type, findPrevious = false) {
    this.count.textContent = "";
    this.events?.dispatch("find", { source: this, type, query: this.search.value, caseSensitive: false, entireWord: false, highlightAll: true, findPrevious, matchDiacritics: false });
  }

  counted({ current = 0, total = 0 } = {}, state = 0) {
    if (!this.search.value) this.count.textContent = "";
    else if (total) this.count.textContent = `${current} of ${total}`;
    else if (state === 1) this.count.textContent = "not there"; // FindState.NOT_FOUND
  }

  // ---- outline and quotes

  outline(items) {
    this.items = items || [];
    this.outlineButton.hidden = !this.items.length;
  }

  openSide(name) {
    const opener = name === "outline" ? this.outlineButton : this.quotesButton;
    if (opener.getAttribute("aria-expanded") === "true") return this.closeSide();
    this.closeSide();
    opener.setAttribute("aria-expanded", "true");
    this.side.replaceChildren(name === "outline" ? this.outlineList(this.items) : this.quoteList());
    this.side.hidden = false;
  }

  closeSide() {
    for (const opener of [this.outlineButton, this.quotesButton]) opener.setAttribute("aria-expanded", "false");
    this.side.hidden = true;
  }

  outlineList(items) {
    return h("ul", {}, ...items.map((item) => h("li", {},
      h("button", { type: "button", dir: "auto", onclick: () => item.dest && this.links.goToDestination(item.dest) }, item.title),
      item.items?.length ? this.outlineList(item.items) : null)));
  }

  quoteList() {
    return h("ul", {}, ...this.marks.map((mark) => h("li", {},
      h("button", { type: "button", dir: "auto", onclick: () => this.goTo(mark) }, `${mark.label}, page ${mark.page}: “${mark.quote}”`))));
  }

  countQuotes() {
    this.quotesButton.hidden = !this.marks.length;
    this.quotesButton.textContent = `Quotes (${this.marks.length})`;
  }

  async goTo(place) {
    this.toTab("pdf");
    const file = this.facts.files.find((other) => other.sha256 === place.sha256) || this.file;
    if (file !== this.file || !this.viewer) {
      this.pointed = place.boxes;
      return this.show(file, { page: place.page, boxes: place.boxes });
    }
    const pages = new Set([...this.pointed, ...place.boxes].map(([page]) => page));
    this.pointed = place.boxes;
    const [, left = 0, , , top = null] = place.boxes[0] || [];
    if (top === null) this.viewer.scrollPageIntoView({ pageNumber: place.page });
    else this.viewer.scrollPageIntoView({ pageNumber: place.page, destArray: [null, { name: "XYZ" }, left > 0 ? 0 : left, top + ABOVE, null], allowNegativeOffset: true });
    for (const page of pages) this.overlay(page);
  }

  // Boxes are in points of the page; the overlay is as large as the page at any zoom.
  overlay(pageNumber) {
    const view = this.viewer?.getPageView(pageNumber - 1);
    if (!view?.div || !view.viewport) return;
    view.div.querySelector(":scope > .quote-marks")?.remove();
    const layer = h("div", { class: "quote-marks", "aria-hidden": "true" });
    const quoted = this.marks.filter((mark) => mark.sha256 === this.file.sha256).flatMap((mark) => mark.boxes);
    for (const box of quoted) if (box[0] === pageNumber) layer.append(this.box(view, box, ""));
    for (const box of this.pointed) if (box[0] === pageNumber) layer.append(this.box(view, box, "pointed"));
    if (layer.childElementCount) view.div.append(layer);
  }

  box(view, [, left, bottom, right, top], kind) {
    const { viewport } = view;
    const [x1, y1] = viewport.convertToViewportPoint(left, bottom);
    const [x2, y2] = viewport.convertToViewportPoint(right, top);
    const element = h("i", { class: kind });
    const percent = (part, whole) => `${(100 * part) / whole}%`;
    element.style.left = percent(Math.min(x1, x2), viewport.width);
    element.style.top = percent(Math.min(y1, y2), viewport.height);
    element.style.width = percent(Math.abs(x2 - x1), viewport.width);
    element.style.height = percent(Math.abs(y2 - y1), viewport.height);
    return element;
  }

  // ---- the words that the review wants marked

  markTerms(pageNumber) {
    const layer = this.viewer?.getPageView(pageNumber - 1)?.textLayer?.div;
    if (!layer || !this.patterns.length || !globalThis.CSS?.highlights) return;
    const nodes = [];
    let text = "";
    const walker = document.createTreeWalker(layer, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode;
      if (node.nodeName === "BR") text += "\n";
      else if (node.nodeType === Node.TEXT_NODE) { nodes.push([text.length, node]); text += node.data; }
    }
    const point = (place) => {
      const [start, node] = nodes.findLast(([begin]) => begin <= place) || nodes[0];
      return [node, Math.min(place - start, node.length)];
    };
    const found = [];
    for (const [kind, wanted] of this.patterns) {
      for (const match of text.matchAll(wanted)) {
        const range = new Range();
        range.setStart(...point(match.index));
        range.setEnd(...point(match.index + match[0].length - 1));
        range.setEnd(range.endContainer, range.endOffset + 1);
        found.push([kind, range]);
      }
    }
    this.ranges.set(pageNumber, found);
    for (const [kind] of this.patterns) {
      const every = [...this.ranges.values()].flat().filter(([of]) => of === kind).map(([, range]) => range);
      CSS.highlights.set(`reader-${kind}`, new Highlight(...every));
    }
  }

  // ---- from selected words to a quote

  selected() {
    const selection = getSelection();
    const inside = selection && !selection.isCollapsed && this.pages.contains(selection.anchorNode) && this.pages.contains(selection.focusNode);
    // Choosing a field or pressing the button must not lose what was selected.
    if (!inside) {
      if (!this.pick.contains(document.activeElement)) this.pick.hidden = true;
      return;
    }
    this.words = asQuote(selection.toString()).slice(0, LONGEST_QUOTE);
    const targets = this.targets();
    if (!this.words || !targets.length) return;
    this.picked.textContent = this.words;
    this.target.replaceChildren(...targets.map((target, number) => h("option", { value: number }, target.dataset.label)));
    this.target.value = String(Math.max(0, targets.indexOf(this.likeliest(targets))));
    this.pick.hidden = false;
  }

  targets() { return [...document.querySelectorAll("[data-quote]")]; }

  // The field that was typed in last, else the first empty one, of an open section at first.
  likeliest(targets) {
    if (this.wanted?.isConnected) return this.wanted;
    const empty = targets.filter((target) => !target.value);
    return empty.find((target) => target.checkVisibility?.()) || empty[0] || targets[0];
  }

  async use() {
    const target = this.targets()[Number(this.target.value)];
    if (!target || !this.words) return;
    const quote = this.words;
    const answer = await this.ask(quote, [this.file]);
    this.pick.hidden = true;
    if (!answer) return;
    if (target.dataset.quote === "note") {
      const cited = `“${quote}”${answer.page ? ` (page ${answer.page})` : ""}`;
      this.fill(target, [target.value.trim(), cited].filter(Boolean).join(" "));
    } else {
      this.fill(target, quote);
      this.settle(target, quote, answer);
    }
    getSelection().removeAllRanges();
    this.tell(`${target.dataset.label}: ${answer.words}.${answer.caution ? ` Careful: ${answer.caution}.` : ""}`, !answer.page);
  }

  fill(target, value) {
    for (let box = target.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    target.value = value;
    target.dispatchEvent(new Event("input", { bubbles: true }));
  }

  // A quote that was typed or pasted is looked for in the files too, while its writer is there.
  async check(target) {
    const quote = target.value.trim();
    if (!quote || quote.length > LONGEST_QUOTE) return;
    const answer = await this.ask(quote, [this.file, ...this.facts.files.filter((file) => file !== this.file)]);
    if (answer && target.value.trim() === quote) this.settle(target, quote, answer);
  }

  // The first file that holds it answers, else the last.
  async ask(quote, files) {
    let answer = null;
    for (const file of files) {
      try {
        const got = await fetch(`${file.find}?${new URLSearchParams({ quote })}`, { headers: { Accept: "application/json" }, redirect: "error" });
        if (!got.ok) throw new Error(String(got.status));
        answer = { ...(await got.json()), file };
      } catch {
        this.tell("The server could not be asked whether the file holds this quote; it is looked up when the form is saved.", true);
        return null;
      }
      if (answer.page) return answer;
    }
    return answer;
  }

  // Say beside the field what came of it, note the page, and mark the place.
  settle(target, quote, answer) {
    const around = target.closest(".field") || target.parentElement;
    around.querySelector(".place")?.remove();
    const place = h("small", { class: `place${answer.page ? "" : " missing"}` });
    const mark = { label: target.dataset.label, quote, sha256: answer.file.sha256, page: answer.page, boxes: answer.boxes };
    if (answer.page) place.append(h("a", { href: `${answer.file.view}?page=${answer.page}`, "data-place": JSON.stringify(mark) }, answer.words));
    else place.append(answer.words);
    if (answer.caution) place.append(h("span", { class: "caution" }, `Careful: ${answer.caution}.`));
    around.append(place);
    this.marks = this.marks.filter((other) => other.label !== mark.label);
    if (answer.page) this.marks.push(mark);
    this.countQuotes();
    this.closeSide();
    for (const view of this.viewer?.getCachedPageViews() || []) this.overlay(view.id);
    const page = target.dataset.page && document.getElementById(target.dataset.page);
    if (page && answer.page) this.fill(page, String(answer.page));
  }

  clicked(event) {
    const link = event.target.closest?.("a[data-place]");
    if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const place = JSON.parse(link.dataset.place);
    if (!this.facts.files.some((file) => file.sha256 === place.sha256)) return;
    event.preventDefault();
    this.goTo(place);
  }
}

customElements.define("pdf-reader", PdfReader);
