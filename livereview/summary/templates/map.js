// The evidence and gap map by any two facets, drawn from the data that the page carries.
//
// The page is whole without it. It has no parts of others, asks nobody for anything, and is loaded
// as a plain deferred script, since browsers load no modules from a file. What a reader chose stands
// in the address after #, so that it can be shared.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("map-data").textContent);
  const form = document.getElementById("map-controls");
  const table = document.getElementById("map");
  const legend = document.getElementById("map-legend");
  const list = document.getElementById("map-cell");
  const facets = new Map(data.facets.map((facet) => [facet.id, facet]));
  const gaps = new Map(data.gaps.map(([row, column, kind]) => [`${row}/${column}`, kind]));
  const LARGEST = 22; // pixels: the radius of the largest bubble, which two in a cell leave room for

  function element(name, text, attributes = {}) {
    const made = document.createElement(name);
    if (text) made.textContent = text;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }

  function valuesOf(entry, facet) {
    const value = entry[facet];
    if (Array.isArray(value)) return value;
    return value ? [value] : [];
  }

  function has(entry, facet, value) {
    const given = valuesOf(entry, facet);
    return value === "" ? given.length === 0 : given.includes(value);
  }

  // The values of a facet as rows or columns; a last one for what has none of them.
  function axis(facet, entries) {
    const rest = entries.some((entry) => valuesOf(entry, facet.id).length === 0);
    return rest ? [...facet.values, ["", facet.rest]] : facet.values;
  }

  function groupOf(entry, group, outcome) {
    if (group === "kind") return entry.kind;
    if (group === "bias") return entry.bias;
    return entry.certainty[outcome] || lowest(entry.certainty) || "none";
  }

  const words = (group, id) => (data.groups[group].find(([name]) => name === id) || ["", ""])[1];

  function lowest(certainty) {
    const order = ["very_low", "low", "moderate", "high"];
    return order.find((level) => Object.values(certainty).includes(level));
  }

  function chosen() {
    const fields = new FormData(form);
    return data.entries.filter((entry) =>
      data.facets.every((facet) => {
        const only = fields.get(`only-${facet.id}`);
        return !only || has(entry, facet.id, only);
      }),
    );
  }

  function emptyWords(rows, columns, row, column) {
    const both = new Map([[rows.id, row], [columns.id, column]]);
    const kind = gaps.get(`${both.get("areas")}/${both.get("outcomes")}`);
    return kind ? [kind, data.empty[kind]] : ["none", "–"];
  }

  function bubbles(entries, group, outcome, most) {
    const counts = new Map();
    for (const entry of entries) {
      const id = groupOf(entry, group, outcome);
      counts.set(id, (counts.get(id) || 0) + 1);
    }
    const shown = element("span", "", { class: "bubbles" });
    for (const [id, words] of data.groups[group]) {
      if (!counts.has(id)) continue;
      const size = Math.round(2 * LARGEST * Math.max(0.55, Math.sqrt(counts.get(id) / most)));
      const bubble = element("span", String(counts.get(id)), { class: `bubble ${group}-${id}`, title: words });
      bubble.style.width = bubble.style.height = `${size}px`;
      bubble.append(element("span", ` ${words}`, { class: "hidden" }));
      shown.append(bubble);
    }
    return shown;
  }

  function draw() {
    const fields = new FormData(form);
    const rows = facets.get(fields.get("rows"));
    const columns = facets.get(fields.get("columns"));
    const group = fields.get("group");
    const entries = chosen();
    const down = axis(rows, entries);
    const across = axis(columns, entries);
    const cells = down.map(([row]) =>
      across.map(([column]) => entries.filter((entry) => has(entry, rows.id, row) && has(entry, columns.id, column))),
    );
    const most = Math.max(1, ...cells.flat().map((cell) => cell.length));
    const head = element("tr");
    head.append(element("th", rows.label, { scope: "col" }));
    for (const [, label] of across) head.append(element("th", label, { scope: "col" }));
    const body = down.map(([row, label], r) => {
      const line = element("tr");
      line.append(element("th", label, { scope: "row" }));
      across.forEach(([column, columnLabel], c) => {
        const cell = element("td");
        const here = cells[r][c];
        if (here.length) {
          const outcome = rows.id === "outcomes" ? row : column;
          const button = element("button", "", { type: "button", class: "cell", "aria-controls": "map-cell" });
          button.append(bubbles(here, group, outcome, most));
          button.append(element("span", `${label}, ${columnLabel}`, { class: "hidden" }));
          button.addEventListener("click", () => show(`${label} × ${columnLabel}`, here));
          cell.append(button);
        } else {
          const [kind, words] = emptyWords(rows, columns, row, column);
          cell.append(element("span", words, { class: kind }));
        }
        line.append(cell);
      });
      return line;
    });
    table.tHead.replaceChildren(head);
    table.tBodies[0].replaceChildren(...body);
    table.caption.textContent = data.words.caption.replace("{rows}", rows.label).replace("{columns}", columns.label.toLowerCase());
    drawLegend(group, entries);
    const count = data.words.shown.replace("{n}", entries.length).replace("{all}", data.entries.length);
    document.getElementById("map-count").textContent = count;
    const ids = new Set(entries.map((entry) => entry.id));
    for (const line of document.querySelectorAll("#map-list tbody tr")) line.hidden = !ids.has(line.id.slice("entry-".length));
  }

  function drawLegend(group, entries) {
    const used = new Set(entries.flatMap((entry) => [groupOf(entry, group), ...Object.values(group === "certainty" ? entry.certainty : {})]));
    const items = data.groups[group].filter(([id]) => used.has(id)).map(([id, words]) => {
      const item = element("li");
      item.append(element("span", "", { class: `bubble ${group}-${id}`, "aria-hidden": "true" }), words);
      return item;
    });
    legend.replaceChildren(...items);
    legend.hidden = entries.length === 0;
  }

  function show(name, entries) {
    list.querySelector("h2").textContent = name;
    const items = entries.map((entry) => {
      const item = element("li");
      const label = entry.link ? element("a", entry.label, { href: entry.link }) : element("bdi", entry.label);
      const facts = [entry.year, words("kind", entry.kind), entry.bias_words, data.states[entry.state]];
      item.append(label, ` ${facts.filter(Boolean).join(" · ")}`);
      return item;
    });
    list.querySelector("ul").replaceChildren(...items);
    list.hidden = false;
    list.focus();
    list.scrollIntoView({ block: "nearest" });
  }

  // A cell of a CSV file; one that a spreadsheet would take for a formula begins with an apostrophe.
  function csvCell(value) {
    const text = Array.isArray(value) ? value.join(" | ") : String(value ?? "");
    const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  }

  function saveCsv() {
    const names = ["id", "label", "kind", "state", "year", "areas", "outcomes", "comparisons", "design", "countries", "populations", "risk_of_bias", "link"];
    const lines = [names, ...chosen().map((entry) => names.map((name) => entry[name]))];
    const text = lines.map((line) => line.map(csvCell).join(",")).join("\n") + "\n";
    const link = element("a", "", { download: "map-shown.csv", href: URL.createObjectURL(new Blob([text], { type: "text/csv" })) });
    link.click();
    URL.revokeObjectURL(link.href);
  }

  function remember() {
    const fields = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value) fields.set(name, value);
    history.replaceState(null, "", `#${fields}`);
  }

  // What the address says, where it is one of the choices.
  function recall() {
    for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
      const field = form.elements.namedItem(name);
      if (field instanceof HTMLSelectElement && [...field.options].some((option) => option.value === value)) field.value = value;
    }
  }

  form.addEventListener("change", () => { list.hidden = true; draw(); remember(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { list.hidden = true; draw(); remember(); }));
  document.getElementById("map-csv").addEventListener("click", saveCsv);
  recall();
  form.hidden = false;
  draw();
})();
