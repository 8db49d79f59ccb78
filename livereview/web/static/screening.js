// Keys, drafts and messages of the screening rooms. Everything works without this file too, as plain forms; with it htmx
// sends the forms and puts the next record in place.
(() => {
  "use strict";

  // What a key may do: "click" the element with this data-key, or "focus" it.
  const ACTIONS = {
    include: ["Include", "click"], exclude: ["Exclude", "click"], maybe: ["Maybe; at full text: can’t get it", "click"],
    undo: ["Undo the last decision", "click"], skip: ["Skip this record for now", "click"], note: ["Write a note", "focus"],
    tags: ["Write tags", "focus"], highlights: ["Highlights on or off", "highlights"], open: ["Open the publication", "click"],
    next: ["Next in a list", "step"], previous: ["Previous in a list", "step"],
  };
  const COMMON = { skip: "s", note: "n", tags: "t", highlights: "h", open: "o", next: "j", previous: "k" };
  const PRESETS = {
    livereview: { ...COMMON, include: "i", exclude: "e", maybe: "m", undo: "z" },
    Rayyan: { ...COMMON, include: "i", exclude: "e", maybe: "u", undo: "z" },
    ASReview: { ...COMMON, include: "r", exclude: "i", maybe: "m", undo: "u" },
    "V/X": { ...COMMON, include: "v", exclude: "x", maybe: "m", undo: "z" },
    off: {},
  };

  let busy = false; // a key pressed while a request is on its way would judge a record that nobody has read
  const find = (name) => document.querySelector(`[data-key="${name}"]`);

  const stored = (name, fallback) => {
    try { return JSON.parse(localStorage.getItem(name)) ?? fallback; } catch { return fallback; }
  };
  const store = (name, value) => {
    try {
      if (value === null) localStorage.removeItem(name);
      else localStorage.setItem(name, JSON.stringify(value));
    } catch { /* private windows have no store: then keys are the usual ones and drafts last as long as the page */ }
  };

  let keys = stored("livereview:keys", { preset: "livereview", own: {} });
  const bound = () => (keys.preset === "custom" ? keys.own : PRESETS[keys.preset] || PRESETS.livereview);

  // --- keys

  // A reason that was picked must not keep the keys to itself: they go on judging the record.
  const typing = (target) => target.closest("input, textarea, select:not(#reason), [contenteditable]") !== null;

  const act = (name) => {
    const how = ACTIONS[name][1];
    if (how === "highlights") return void document.documentElement.classList.toggle("unmarked");
    if (how === "step") return step(name === "next" ? 1 : -1);
    const element = find(name);
    if (element && !element.disabled) element[how]();
    else if (name === "undo" && form()) tell("There is nothing more to undo here. “My decisions” lists all of yours.");
  };

  const step = (by) => {
    const all = [...document.querySelectorAll("[data-step]")];
    const at = all.indexOf(document.activeElement);
    all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + by))]?.focus();
  };

  const excludeFor = (number) => {
    const reason = document.getElementById("reason");
    if (!reason || !find("exclude") || number >= reason.options.length) return;
    reason.selectedIndex = number;
    find("exclude").click();
  };

  document.addEventListener("keydown", (event) => {
    const key = event.key.toLowerCase();
    if (key === "escape" && event.target.matches("input, textarea, select")) return event.target.blur();
    if (event.ctrlKey && key === "enter" && typing(event.target)) return event.target.form?.requestSubmit(find("save") || undefined);
    if (event.isComposing || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (typing(event.target) || busy || document.querySelector("dialog[open]")) return;
    if (key === "?") { event.preventDefault(); return help(); }
    if (keys.preset === "off") return;
    const name = Object.keys(ACTIONS).find((action) => bound()[action] === key);
    if (name) { event.preventDefault(); act(name); }
    else if (/^[1-9]$/.test(key)) { event.preventDefault(); excludeFor(Number(key)); }
  });

  // --- the list of keys, and changing them

  const dialog = () => document.getElementById("keys");
  const help = () => { draw(); dialog()?.showModal(); };

  const draw = () => {
    const body = dialog()?.querySelector("tbody");
    if (!body) return;
    dialog().querySelector("select").value = keys.preset;
    body.replaceChildren(...Object.entries(ACTIONS).map(([name, [words]]) => {
      const row = document.createElement("tr");
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = words;
      const cell = row.appendChild(document.createElement("td"));
      row.prepend(head);
      const input = cell.appendChild(document.createElement("input"));
      Object.assign(input, { maxLength: 1, value: bound()[name] || "", name, autocomplete: "off" });
      input.setAttribute("aria-label", `Key for: ${words}`);
      return row;
    }));
    hints();
  };

  const choose = (preset, own) => { keys = { preset, own }; store("livereview:keys", keys); draw(); };

  const hints = () => {
    for (const hint of document.querySelectorAll("kbd[data-for]")) hint.textContent = (bound()[hint.dataset.for] || "").toUpperCase();
  };

  document.addEventListener("change", (event) => {
    if (!event.target.closest("#keys")) return;
    if (event.target.matches("select")) return choose(event.target.value, { ...bound() });
    const own = { ...bound() };
    const key = event.target.value.trim().toLowerCase();
    for (const name of Object.keys(own)) if (own[name] === key) delete own[name]; // one key, one meaning
    if (key && !/^[0-9?]$/.test(key)) own[event.target.name] = key;
    else delete own[event.target.name];
    choose("custom", own);
  });

  document.addEventListener("click", (event) => { if (event.target.closest("[data-help]")) help(); });

  // --- drafts: what was typed and not sent survives a reload, a lost session and a server that is down

  const FIELDS = ["reason", "note", "tags"];
  const form = () => document.querySelector("form[data-draft]");
  const place = (name) => `livereview:draft:${name}`;

  const keep = () => {
    const values = Object.fromEntries(FIELDS.map((name) => [name, form().elements[name]?.value || ""]));
    store(place(form().dataset.draft), Object.values(values).some(Boolean) ? values : null);
  };

  const restore = () => {
    const done = document.querySelector("[data-done]");
    if (done) store(place(done.dataset.done), null);
    if (!form()) return;
    const kept = stored(place(form().dataset.draft), {});
    for (const name of FIELDS) {
      const field = form().elements[name];
      if (field && !field.value && kept[name]) field.value = kept[name];
    }
  };

  document.addEventListener("input", (event) => { if (form()?.contains(event.target)) keep(); });

  // --- what htmx does

  const tell = (words) => {
    const line = document.getElementById("told");
    if (!line) return;
    line.textContent = words;
    line.hidden = !words;
  };

  const ENDED = "Not saved: your session has ended. Sign in again in another tab, then decide once more. What you typed is kept.";

  const failed = (status) => {
    if (status === 401) return ENDED;
    if (status === 429) return "Not saved: too many requests. Wait a moment, then decide again.";
    if (status === 507) return "Not saved: the server's disk is full. What you typed is kept; tell whoever runs the server, then decide again.";
    return "The server does not answer. Try again when it is back.";
  };

  // No answer came to a decision: it may have arrived all the same. The page asks until the server is back.

  const PAUSE = 2000; // milliseconds between two questions
  let asking = 0; // which form's fate is being asked for; a new request ends it

  const pause = (time) => new Promise((resolve) => { setTimeout(resolve, time); });

  const sent = (detail) => {
    const from = detail.elt?.closest?.("form[data-draft]");
    return from && from.method === "post" ? from : null;
  };

  const whether = async (address) => {
    try {
      const answer = await fetch(address, { redirect: "manual", headers: { Accept: "application/json" } });
      if (answer.type === "opaqueredirect" || answer.status === 401) return "ended";
      return answer.ok ? await answer.json() : null;
    } catch { return null; }
  };

  const findOut = async (from) => {
    const [review, record, stage, settles] = from.dataset.draft.split(" ");
    const mine = ++asking;
    tell("We do not know whether it was saved: no answer came. What you typed is kept. Asking the server …");
    for (;;) {
      const known = await whether(`/r/${review}/arrived/${from.elements.form.value}`);
      if (mine !== asking) return;
      if (known === "ended") return tell("We do not know whether it was saved, and your session has ended. Sign in again in another tab; “My decisions” tells. What you typed is kept.");
      if (known) return found(known, settles ? `/r/${review}/conflicts?done=${record}&stage=${stage}` : `/r/${review}/screen/${stage}?done=${record}`);
      await pause(PAUSE);
      if (mine !== asking) return;
    }
  };

  const found = (known, next) => {
    if (!known.arrived) return tell("It was not saved. What you typed is kept; decide again.");
    htmx.ajax("GET", next, { target: "#main", select: "#main", swap: "outerHTML show:window:top" })
      .then(() => tell(`It was saved: ${known.verdict}.`));
  };

  const ready = () => { busy = false; hints(); restore(); };

  // An answer that came from our own pages says itself what was saved; any other leaves that open.
  const OURS = [403, 404, 409, 422];

  const unanswered = (detail, status) => {
    busy = false;
    const from = sent(detail);
    const refused = status === 401 || status === 429 || status === 413;
    if (from && !refused) findOut(from);
    else tell(failed(status));
  };

  document.addEventListener("htmx:beforeRequest", () => { busy = true; asking += 1; tell(""); });
  document.addEventListener("htmx:afterSettle", ready);
  document.addEventListener("htmx:beforeSwap", (event) => {
    const status = event.detail.xhr.status;
    event.detail.shouldSwap = status < 400 || OURS.includes(status);
    event.detail.isError = !event.detail.shouldSwap;
    if (!event.detail.shouldSwap) unanswered(event.detail.requestConfig || event.detail, status);
  });
  for (const name of ["htmx:sendError", "htmx:timeout", "htmx:sendAbort"]) {
    document.addEventListener(name, (event) => unanswered(event.detail.requestConfig || event.detail, 0));
  }

  document.documentElement.classList.add("scripted");
  ready();
})();
