// The page of the reader's own analysis: what is ticked is pooled at once, and the address keeps the choices.

const byId = (id) => document.getElementById(id);
const { choices, words, language } = JSON.parse(byId("choices").textContent);
const decimals = new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
const COUNTED_MODELS = ["MH", "PETO"];
const FEW = 5; // studies, below which their spread can hardly be told
const SPREAD_FROM = 3; // two say next to nothing of it, and no prediction can be made from them
const SMALLEST = 5; // pixels, the side of the square of a study without weight
const LARGER = 10; // pixels, by which that of all weight is larger
const MARGIN = 0.04; // of the axis, left free at both ends
const FAR = 3; // an interval wider than so many typical ones ends at the plot's edge

const minus = (text) => text.replace("-", "−");
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

// What is chosen: the finding, the studies left out, and how the others are pooled.
const state = { finding: choices[0], without: new Set(), model: "", test: "", prediction: "", group: "" };

function begin(finding) {
  state.finding = finding;
  state.without = new Set(finding.studies.filter((one) => !one.counted).map((one) => one.id));
  Object.assign(state, finding.start, { group: "" });
}

// From the address, so that an analysis can be shared; what it names and is not there is passed over.
function read() {
  const asked = new URLSearchParams(location.hash.slice(1));
  begin(choices.find((one) => one.id === asked.get("finding")) ?? choices[0]);
  if (asked.has("without")) {
    const known = new Set(state.finding.studies.map((one) => one.id));
    state.without = new Set(asked.get("without").split(",").filter((id) => known.has(id)));
  }
  for (const name of ["model", "test", "prediction"]) {
    const offered = [...byId(name).options].map((one) => one.value);
    if (offered.includes(asked.get(name))) state[name] = asked.get(name);
  }
  const groups = state.finding.groups.map((one) => one.id);
  if (groups.includes(asked.get("group"))) state.group = asked.get("group");
}

function write() {
  const { finding, model, test, prediction, group } = state;
  const kept = { finding: finding.id, model, test, prediction };
  if (state.without.size) kept.without = [...state.without].join(",");
  if (group) kept.group = group;
  history.replaceState(null, "", `#${new URLSearchParams(kept)}`);
}

function analyse(studies) {
  if (COUNTED_MODELS.includes(state.model)) {
    const measure = state.model === "PETO" ? "PETO" : state.finding.measure;
    return poolTables(measure, studies.map((one) => one.counts));
  }
  const effects = studies.map((one) => one.y);
  return pool(effects, studies.map((one) => one.v), state.model, state.test, state.prediction);
}

const isRandom = () => state.model !== "EE" && !COUNTED_MODELS.includes(state.model);
const predicts = (model) => model.b !== null && model.k >= SPREAD_FROM && model.pi_lb !== null;
const shown = (analysed) => (state.finding.ratio ? Math.exp(analysed) : analysed) * state.finding.per;
const figure = (analysed) => minus(decimals.format(shown(analysed)));
const told = (value, low, high) => `${value} (${fill(words.to, { low, high })})`;
const size = (b, low, high) => told(figure(b), figure(low), figure(high));
const ends = (study) => [study.y - quantile(null) * Math.sqrt(study.v), study.y + quantile(null) * Math.sqrt(study.v)];

function probability(p) {
  if (p === null) return words.unknown;
  const least = 0.001;
  return p < least ? `< ${new Intl.NumberFormat(language).format(least)}` : minus(decimals.format(p));
}

// The axis

// Marks at round values of what is shown: for ratios by their logs.
function ticks(low, high) {
  if (state.finding.ratio) {
    const all = [];
    for (let power = -6; power <= 6; power += 1) all.push(...[1, 2, 5].map((one) => one * 10 ** power));
    const inside = all.filter((one) => Math.log(one) >= low && Math.log(one) <= high);
    const every = Math.ceil(inside.length / 5);
    return inside.filter((one) => inside.length < 6 || (inside.indexOf(one) - inside.indexOf(1)) % every === 0)
      .map((one) => [Math.log(one), one]);
  }
  const per = state.finding.per;
  const rough = ((high - low) * per) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough);
  const marks = [];
  for (let n = Math.ceil((low * per) / step); n * step <= high * per; n += 1) {
    const mark = n * step || 0; // never -0
    marks.push([mark / per, mark]);
  }
  return marks;
}

function axisOf(intervals) {
  const wide = intervals.map(([low, high]) => high - low).sort((a, b) => a - b);
  const most = FAR * (wide[Math.floor((wide.length - 1) / 2)] || 1);
  const held = [0, ...intervals.flatMap(([low, high]) => (high - low <= most ? [low, high] : [(low + high) / 2]))];
  const low = Math.min(...held);
  const high = Math.max(...held);
  const spare = (high - low || 1) * MARGIN;
  const start = low - spare;
  const room = high + spare - start;
  const at = (value) => Math.min(100, Math.max(0, (100 * (value - start)) / room));
  return { at, low: start, high: start + room, ticks: ticks(start, start + room) };
}

// The table

function element(name, options = {}, ...inner) {
  const { dataset, style, ...own } = options;
  const made = Object.assign(document.createElement(name), own);
  Object.assign(made.dataset, dataset);
  Object.assign(made.style, style);
  made.append(...inner);
  return made;
}

const part = (className, style) => element("i", { className, style });

function strip(axis, ...parts) {
  const made = element("span", { className: "strip" }, part("null", { left: `${axis.at(0)}%` }), ...parts);
  made.setAttribute("aria-hidden", "true");
  return element("td", { className: "plot" }, made);
}

function line(axis, name, low, high) {
  const before = low < axis.low ? " before" : "";
  const after = high > axis.high ? " after" : "";
  const className = name === "all" ? name : name + before + after;
  return part(className, { left: `${axis.at(low)}%`, width: `${axis.at(high) - axis.at(low)}%` });
}

const cell = (label, text) => element("td", { className: "n", dataset: { label } }, text);

function header(text, quiet) {
  const made = element("th", { scope: "row" }, text);
  if (quiet) made.append(element("br"), element("span", { className: "quiet small" }, quiet));
  return made;
}

function studyRow(study, axis, weight) {
  const chosen = !state.without.has(study.id);
  const box = element("input", { type: "checkbox", checked: chosen, id: `with-${study.id}` });
  box.addEventListener("change", () => {
    if (box.checked) state.without.delete(study.id);
    else state.without.add(study.id);
    update();
    byId(box.id).focus();
  });
  const name = element("label", {}, box, " ", element("bdi", {}, study.label));
  const people = study.people === null ? words.unknown : fill(words.people, { n: whole.format(study.people) });
  const bias = element("td", { dataset: { label: words.bias } }, study.bias);
  const share = cell(words.weight, weight === undefined ? "–" : `${whole.format(weight)}%`);
  const className = chosen ? "" : "out";
  if (study.y === null) {
    const instead = cell(state.finding.measure, words.sizeless);
    return element("tr", { className }, header(name, people), strip(axis), instead, share, bias);
  }
  const [low, high] = ends(study);
  const side = `${SMALLEST + LARGER * Math.sqrt((weight ?? 0) / 100)}px`;
  const square = part("at", { left: `${axis.at(study.y)}%`, width: side, height: side });
  const interval = line(axis, "ci", low, high);
  const figures = cell(state.finding.measure, size(study.y, low, high));
  return element("tr", { className }, header(name, people), strip(axis, interval, square), figures, share, bias);
}

function totalRow(model, axis, label, className) {
  const drawn = line(axis, "all", model.ci_lb, model.ci_ub);
  const figures = cell(state.finding.measure, size(model.b, model.ci_lb, model.ci_ub));
  return element("tr", { className }, header(label), strip(axis, drawn), figures, element("td"), element("td"));
}

function predictionRow(model, axis) {
  const drawn = line(axis, "next", model.pi_lb, model.pi_ub);
  const text = fill(words.to, { low: figure(model.pi_lb), high: figure(model.pi_ub) });
  const figures = cell(state.finding.measure, text);
  return element("tr", {}, header(words.new), strip(axis, drawn), figures, element("td"), element("td"));
}

function scaleRow(axis) {
  const marks = axis.ticks.map(([value, text]) =>
    element("span", { style: { left: `${axis.at(value)}%` } }, minus(new Intl.NumberFormat(language).format(text))));
  const [left, right] = state.finding.ends;
  const sides = element("span", { className: "sides" }, element("span", {}, `← ${left}`), element("span", {}, `${right} →`));
  const row = element("tr", {}, element("td"),
    element("td", { className: "plot" }, element("span", { className: "scale" }, ...marks), sides),
    element("td"), element("td"), element("td"));
  row.setAttribute("aria-hidden", "true");
  return row;
}

// The groups in the order in which they first come, those of no group last.
function grouped(studies) {
  if (!state.group) return [["", studies]];
  const groups = new Map();
  for (const study of studies) {
    const name = study.groups[state.group] ?? "";
    groups.set(name, [...(groups.get(name) ?? []), study]);
  }
  return [...groups].sort(([a], [b]) => (a === "") - (b === ""));
}

function draw(model, parts, weights) {
  const estimates = [model, ...parts.map((one) => one.model)].filter((one) => one.b !== null);
  const intervals = [
    ...state.finding.studies.filter((one) => one.y !== null).map(ends),
    ...estimates.map((one) => [one.ci_lb, one.ci_ub]),
  ];
  if (predicts(model)) intervals.push([model.pi_lb, model.pi_ub]);
  const axis = axisOf(intervals);
  const rows = [];
  for (const { name, studies, model: own } of parts) {
    rows.push(...studies.map((study) => studyRow(study, axis, weights.get(study.id))));
    if (state.group && own.b !== null) rows.push(totalRow(own, axis, name || words.unknown, "group"));
  }
  if (model.b !== null) rows.push(totalRow(model, axis, words.all, "whole"));
  if (predicts(model)) rows.push(predictionRow(model, axis));
  byId("rows").replaceChildren(...rows, scaleRow(axis));
}

// The sentences

function result(model, total) {
  const { measure, review } = state.finding;
  if (!total) return [words.none];
  if (model.b === null) return [words.impossible];
  const own = size(model.b, model.ci_lb, model.ci_ub);
  const sentence = model.k === 1 ? words.one : words.yours;
  const said = [fill(sentence, { measure, size: own, k: whole.format(model.k), n: whole.format(state.finding.studies.length) })];
  if (review) {
    const [value, low, high] = [review.value, review.low, review.high].map((one) => minus(decimals.format(one)));
    said.push(told(value, low, high) === own ? words.same : fill(words.differs, { size: told(value, low, high) }));
  } else {
    said.push(words.unasked);
  }
  return said;
}

function further(model, parts) {
  if (model.b === null || model.k < 2) return "";
  const said = [];
  if (model.k >= SPREAD_FROM) {
    said.push(fill(isRandom() ? words.spread : words.common, {
      i2: whole.format(model.I2), tau2: decimals.format(model.tau2), q: decimals.format(model.QE), p: probability(model.QEp),
    }));
  }
  if (predicts(model)) said.push(fill(words.prediction, { low: figure(model.pi_lb), high: figure(model.pi_ub) }));
  if (state.group) {
    const named = parts.filter((one) => one.name && one.model.b !== null);
    const test = between(named.map((one) => [one.model.b, one.model.se]));
    if (test.q !== null) {
      said.push(fill(words.groups, { q: decimals.format(test.q), df: test.df, p: probability(test.p) }));
    }
  }
  if (model.k < FEW) said.push(words.few);
  return said.join(" ");
}

function update() {
  const chosen = state.finding.studies.filter((one) => !state.without.has(one.id));
  const byCounts = COUNTED_MODELS.includes(state.model);
  const used = chosen.filter((one) => (byCounts ? one.counts : one.y) !== null);
  const model = analyse(used);
  const weights = new Map(used.map((one, i) => [one.id, model.weights[i]]));
  const parts = grouped(state.finding.studies).map(([name, studies]) => ({
    name, studies, model: analyse(studies.filter((one) => used.includes(one))),
  }));
  byId("result").textContent = result(model, chosen.length).join(" ");
  byId("further").textContent = further(model, parts);
  draw(model, parts, weights);
  write();
}

// The form

function fillForm() {
  const { finding } = state;
  byId("finding").value = finding.id;
  for (const option of byId("model").options) {
    const peto = option.value === "PETO" && finding.measure !== "OR";
    option.disabled = COUNTED_MODELS.includes(option.value) && (!finding.by_counts || peto);
  }
  if ([...byId("model").options].find((one) => one.value === state.model)?.disabled) state.model = finding.start.model;
  const none = byId("group").options[0];
  byId("group").replaceChildren(none, ...finding.groups.map((one) => element("option", { value: one.id }, one.label)));
  for (const name of ["model", "test", "prediction", "group"]) byId(name).value = state[name];
  byId("caption").textContent = `${finding.label}. ${finding.comparison}. ${finding.measure_label} (${finding.measure}); ${finding.better}.`;
  byId("size").textContent = finding.measure;
  byId("otherwise").textContent = finding.review?.otherwise ?? "";
  byId("otherwise").hidden = !finding.review?.otherwise;
}

function start() {
  read();
  fillForm();
  update();
}

if (choices.length) {
  for (const name of ["model", "test", "prediction", "group"]) {
    byId(name).addEventListener("change", (event) => {
      state[name] = event.target.value;
      update();
    });
  }
  byId("finding").addEventListener("change", (event) => {
    begin(choices.find((one) => one.id === event.target.value));
    fillForm();
    update();
  });
  byId("low-risk").addEventListener("click", () => {
    for (const one of state.finding.studies) if (one.high_risk || !one.counted) state.without.add(one.id);
    update();
  });
  byId("everything").addEventListener("click", () => {
    state.without = new Set();
    update();
  });
  byId("again").addEventListener("click", () => {
    begin(state.finding);
    fillForm();
    update();
  });
  addEventListener("hashchange", start);
  byId("plain").hidden = true;
  byId("without-scripts").hidden = true;
  byId("own").hidden = false;
  start();
}
