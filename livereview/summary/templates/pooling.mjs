// Pooling of effects in a browser: the same models as livereview/statistics, which says where each formula comes from.
// `y` are effects (ratios as logs), `v` their sampling variances. What can't be worked out is null.

const LEVEL = 0.95;
const NOISE = 8 * Number.EPSILON; // a residual below NOISE times the largest effect is rounding
const LARGEST = 1e30; // beyond it, squares of weights leave the range of numbers
const POINTS_A_DECADE = 10;

const sum = (numbers) => numbers.reduce((total, one) => total + one, 0);
const largest = (numbers) => numbers.reduce((most, one) => Math.max(most, Math.abs(one)), 0);

// Distributions

// The logarithm of the gamma function (Lanczos' approximation, to some 15 digits).
function logGamma(x) {
  const terms = [
    676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406,
    12.507343278686905, -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
  ];
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x);
  const z = x - 1;
  const series = terms.reduce((total, term, i) => total + term / (z + i + 1), 0.9999999999998099);
  const t = z + terms.length - 0.5;
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(series);
}

// A continued fraction b0 + a1 / (b1 + a2 / (b2 + …)), by Lentz' method; `part(n)` is [an, bn].
function fraction(first, part) {
  const tiny = 1e-300;
  let value = first || tiny;
  let c = value;
  let d = 0;
  for (let n = 1; n < 100000; n += 1) {
    const [a, b] = part(n);
    d = 1 / (b + a * d || tiny);
    c = b + a / c || tiny;
    const factor = c * d;
    value *= factor;
    if (Math.abs(factor - 1) <= Number.EPSILON) break;
  }
  return value;
}

// The upper tail of the gamma distribution with shape a.
function gammaTail(a, x) {
  if (x <= 0) return 1;
  if (x === Infinity) return 0;
  const front = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let series = term;
    for (let n = 1; term > series * Number.EPSILON / 2; n += 1) {
      term *= x / (a + n);
      series += term;
    }
    return 1 - front * series;
  }
  return front / fraction(x + 1 - a, (n) => [-n * (n - a), x + 2 * n + 1 - a]);
}

// The regularised incomplete beta function.
function betaShare(a, b, x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - betaShare(b, a, 1 - x);
  const logFront = logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x);
  const part = (n) => {
    const m = Math.floor(n / 2);
    if (n % 2 === 0) return [(m * (b - m) * x) / ((a + n - 1) * (a + n)), 1];
    return [(-(a + m) * (a + b + m) * x) / ((a + n - 1) * (a + n)), 1];
  };
  return Math.exp(logFront) / a / fraction(1, part);
}

export const chi2Tail = (df, q) => gammaTail(df / 2, q / 2);

// The two-sided p of t with df degrees of freedom; of z where df is null.
export function twoSided(stat, df) {
  if (df === null) return gammaTail(0.5, (stat * stat) / 2);
  return betaShare(df / 2, 0.5, df / (df + stat * stat));
}

// Where f, which is above 0 at `low` and not at `high`, changes its sign: to the last digit.
function root(f, low, high) {
  let below = low;
  let above = high;
  for (;;) {
    const middle = below + (above - below) / 2;
    if (middle <= below || middle >= above) return above;
    if (f(middle) > 0) below = middle;
    else above = middle;
  }
}

// The two-sided critical value of t with df degrees of freedom; of z where df is null.
export function quantile(df) {
  const excess = (t) => twoSided(t, df) - (1 - LEVEL);
  let high = 2;
  while (excess(high) > 0) high *= 2;
  return root(excess, 0, high);
}

// Weighted means

// For each entry the sum of the others: without a difference, so that no digit is lost to one large entry.
function others(x) {
  const before = [0];
  const after = [0];
  for (let i = 0; i + 1 < x.length; i += 1) {
    before.push(before[i] + x[i]);
    after.push(after[i] + x[x.length - 1 - i]);
  }
  return before.map((part, i) => part + after[x.length - 1 - i]);
}

// The mean with weights 1 / (v + t): w weights, r residuals, q their weighted squares, trace = tr P.
function weigh(y, v, t) {
  const w = v.map((one) => 1 / (one + t));
  const total = sum(w);
  const mean = sum(w.map((one, i) => (one * y[i]) / total));
  const noise = NOISE * largest(y);
  const r = y.map((one) => (Math.abs(one - mean) <= noise ? 0 : one - mean));
  const free = others(w).map((one) => one / total);
  return {
    w, total, mean, r, free,
    q: sum(r.map((one, i) => w[i] * one * one)),
    trace: sum(w.map((one, i) => one * free[i])),
  };
}

// The tau² at which Q, which only falls, equals the target; 0 if it starts below.
function solveQ(y, v, target) {
  const excess = (t) => weigh(y, v, t).q - target;
  if (excess(0) <= 0) return 0;
  let low = 0;
  let high = v.reduce((least, one) => Math.min(least, one), Infinity);
  while (excess(high) > 0) {
    low = high;
    high *= 4;
  }
  return root(excess, low, high);
}

function logLikelihood(y, v, t, restricted) {
  const at = weigh(y, v, t);
  const k = y.length;
  const normal = sum(at.w.map(Math.log)) - at.q - Math.log(2 * Math.PI) * (restricted ? k - 1 : k);
  return (normal - (restricted ? Math.log(at.total / k) : 0)) / 2;
}

// Zero, then some ten points a decade, up to where the score can only be negative.
function grid(y, v) {
  const spread = y.reduce((a, b) => Math.max(a, b)) - y.reduce((a, b) => Math.min(a, b));
  const low = v.reduce((least, one) => Math.min(least, one), Infinity) * 1e-6;
  const high = 100 * y.length * spread ** 2;
  if (high <= low) return [0, Math.max(low, high)];
  const decades = Math.log10(high / low);
  const points = Math.min(300, Math.max(20, Math.floor(POINTS_A_DECADE * decades)));
  const between = Array.from({ length: points }, (_, i) => low * 10 ** ((decades * i) / (points - 1)));
  return [0, ...between, high * Math.E];
}

// The tau² of the highest (restricted) likelihood: every root of its score, and zero.
function likeliest(y, v, restricted) {
  const score = (t) => {
    const at = weigh(y, v, t);
    const expected = restricted ? at.trace : at.total;
    return sum(at.r.map((one, i) => (at.w[i] * one) ** 2)) - expected;
  };
  const points = grid(y, v);
  const slopes = points.map(score);
  const candidates = [0];
  for (let i = 0; i + 1 < points.length; i += 1) {
    if (slopes[i] > 0 && slopes[i + 1] <= 0) candidates.push(root(score, points[i], points[i + 1]));
  }
  const heights = candidates.map((t) => logLikelihood(y, v, t, restricted));
  return candidates[heights.indexOf(heights.reduce((a, b) => Math.max(a, b)))];
}

function sidikJonkman(y, v) {
  const mean = sum(y) / y.length;
  const first = sum(y.map((one) => (one - mean) ** 2)) / y.length;
  if (first <= (NOISE * largest(y)) ** 2) return 0;
  return (first * weigh(y, v, first).q) / (y.length - 1);
}

const ESTIMATORS = {
  DL: (y, v) => {
    const at = weigh(y, v, 0);
    return Math.max(0, (at.q - (y.length - 1)) / at.trace);
  },
  HE: (y, v) => {
    const at = weigh(y, y.map(() => 1), 0);
    return Math.max(0, (at.q - sum(at.free.map((one, i) => one * v[i]))) / (y.length - 1));
  },
  HS: (y, v) => {
    const at = weigh(y, v, 0);
    return Math.max(0, (at.q - y.length) / at.total);
  },
  SJ: sidikJonkman,
  ML: (y, v) => likeliest(y, v, false),
  REML: (y, v) => likeliest(y, v, true),
  EB: (y, v) => solveQ(y, v, y.length - 1),
  PM: (y, v) => solveQ(y, v, y.length - 1),
};

function heterogeneity(y, v, tau2, method) {
  const df = y.length - 1;
  if (df === 0) return { QE: 0, QEp: 1, I2: 0, H2: 1 };
  const at = weigh(y, v, 0);
  const tested = { QE: at.q, QEp: chi2Tail(df, at.q) };
  if (method === "EE") {
    return { ...tested, I2: at.q > 0 ? Math.max(0, (100 * (at.q - df)) / at.q) : 0, H2: at.q / df };
  }
  const ratio = (tau2 * at.trace) / df;
  return { ...tested, I2: (100 * ratio) / (1 + ratio), H2: 1 + ratio };
}

// What is not finite is not known.
function clean(model) {
  const plain = Object.entries(model).map(([name, value]) => [
    name, typeof value === "number" && !Number.isFinite(value) ? null : value,
  ]);
  return Object.fromEntries(plain);
}

// One mean. method: EE (one common effect) or of ESTIMATORS; test: z, knha (Knapp and Hartung) or adhoc (the same,
// never narrower than z); prediction: matched, riley or k-1. Studies without a number or with no variance are left out.
export function pool(effects, variances, method = "REML", test = "z", prediction = "matched") {
  const usable = effects.map((_, i) => i).filter((i) => effects[i] !== null && variances[i] >= 1 / LARGEST);
  const y = usable.map((i) => effects[i]);
  const v = usable.map((i) => variances[i]);
  const k = y.length;
  if (!k) return { k, method, test, b: null, weights: [] };
  const tau2 = method === "EE" || k < 2 ? 0 : ESTIMATORS[method](y, v);
  const at = weigh(y, v, tau2);
  const dfs = test !== "z" && k > 1 ? k - 1 : null;
  let factor = dfs === null ? 1 : at.q / dfs;
  if (dfs !== null && test === "adhoc") factor = Math.max(1, factor);
  const se = Math.sqrt(factor / at.total);
  const b = at.mean;
  const half = quantile(dfs) * se;
  const stat = b / se;
  return clean({
    k, method, test, tau2, b, se, stat, dfs,
    pval: Number.isNaN(stat) ? NaN : twoSided(stat, dfs),
    ci_lb: b - half,
    ci_ub: b + half,
    ...heterogeneity(y, v, tau2, method),
    ...predicted(b, se, tau2, { k, dfs, method, prediction }),
    weights: at.w.map((one) => (100 * one) / at.total),
  });
}

// Where a new study's own effect may lie: the mean ± quantile times sqrt(tau² + se²).
function predicted(b, se, tau2, { k, dfs, method, prediction }) {
  const df = { matched: dfs, riley: k - 2, "k-1": k - 1 }[prediction];
  if (method === "EE" || (df !== null && df < 1)) return { pi_lb: null, pi_ub: null };
  const half = quantile(df) * Math.sqrt(tau2 + se * se);
  return { pi_lb: b - half, pi_ub: b + half };
}

// Cochran's Q between independent estimates [b, se]; null where one has no standard error.
export function between(pairs) {
  const sound = pairs.filter(([b, se]) => b !== null && se);
  if (sound.length < 2 || sound.length < pairs.length) return { q: null, df: null, p: null };
  const w = sound.map(([, se]) => 1 / (se * se));
  const mean = sum(sound.map(([b], i) => w[i] * b)) / sum(w);
  const q = sum(sound.map(([b], i) => w[i] * (b - mean) ** 2));
  return { q, df: sound.length - 1, p: chi2Tail(sound.length - 1, q) };
}

// Counts

const COUNTED = {
  OR: (tables) => {
    const parts = tables.map(([a, b, c, d]) => {
      const n = a + b + c + d;
      return { p: (a + d) / n, q: (b + c) / n, r: (a * d) / n, s: (b * c) / n };
    });
    const r = sum(parts.map((one) => one.r));
    const s = sum(parts.map((one) => one.s));
    if (!r || !s) return null;
    const cross = sum(parts.map((one) => one.p * one.s + one.q * one.r)) / (r * s);
    const own = sum(parts.map((one) => one.p * one.r)) / r ** 2;
    const other = sum(parts.map((one) => one.q * one.s)) / s ** 2;
    return [Math.log(r / s), (own + cross + other) / 2];
  },
  RR: (tables) => {
    const r = sum(tables.map(([a, b, c, d]) => (a * (c + d)) / (a + b + c + d)));
    const s = sum(tables.map(([a, b, c, d]) => (c * (a + b)) / (a + b + c + d)));
    if (!r || !s) return null;
    const spread = tables.map(([a, b, c, d]) => {
      const n = a + b + c + d;
      return ((a + b) * (c + d) * (a + c) - a * c * n) / n ** 2;
    });
    const variance = sum(spread) / (r * s);
    return variance > 0 ? [Math.log(r / s), variance] : null;
  },
  RD: (tables) => {
    const sized = tables.map(([a, b, c, d]) => ({ a, c, n1: a + b, n2: c + d, n: a + b + c + d }));
    const weight = sum(sized.map(({ n1, n2, n }) => (n1 * n2) / n));
    const rd = sum(sized.map(({ a, c, n1, n2, n }) => (a * n2 - c * n1) / n)) / weight;
    const p = sum(sized.map(({ a, c, n1, n2, n }) =>
      c * (n1 / n) ** 2 - a * (n2 / n) ** 2 + (((n1 * n2) / n) * (n2 - n1)) / n / 2));
    const q = sum(sized.map(({ a, c, n1, n2, n }) => ((a * (n2 - c)) / n + (c * (n1 - a)) / n) / 2));
    const variance = (rd * p + q) / weight ** 2;
    return variance > 0 ? [rd, variance] : null;
  },
  PETO: (tables) => {
    const parts = tables.map(petoParts);
    const total = sum(parts.map(([, v]) => v));
    return [sum(parts.map(([difference]) => difference)) / total, 1 / total];
  },
};

// Observed minus expected events of the first group, and the hypergeometric variance.
function petoParts([a, b, c, d]) {
  const n = a + b + c + d;
  return [
    a - ((a + c) * (a + b)) / n,
    ((a + b) * (c + d) * (a + c) * (b + d)) / (n ** 2 * (n - 1)),
  ];
}

// One table's own effect and variance.
function effectOf(measure, [a, b, c, d]) {
  const n1 = a + b;
  const n2 = c + d;
  if (measure === "OR") return [Math.log((a * d) / (b * c)), 1 / a + 1 / b + 1 / c + 1 / d];
  if (measure === "RR") return [Math.log(((a / n1) * n2) / c), 1 / a - 1 / n1 + 1 / c - 1 / n2];
  return [a / n1 - c / n2, (a * b) / n1 ** 3 + (c * d) / n2 ** 3];
}

// Q of the tables' own effects about the pooled one; 1/2 is added to tables with an empty cell, but in Peto's.
function spreadOfTables(measure, tables, b) {
  const told = tables.filter((table) => table[0] + table[2] > 0 && table[1] + table[3] > 0);
  const effects = told.map((table) => {
    if (measure === "PETO") {
      const [difference, v] = petoParts(table);
      return [difference / v, 1 / v];
    }
    const half = table.includes(0) ? 0.5 : 0;
    return effectOf(measure, table.map((cell) => cell + half));
  });
  const q = sum(effects.map(([y, v]) => (y - b) ** 2 / v));
  const df = effects.length - 1;
  if (df < 1) return { QE: 0, QEp: 1, I2: 0 };
  return { QE: q, QEp: chi2Tail(df, q), I2: q > 0 ? Math.max(0, (100 * (q - df)) / q) : 0 };
}

function saysSomething(measure, table) {
  if (table === null || table.some((cell) => cell === null)) return false;
  const [a, b, c, d] = table;
  if (a + b <= 0 || c + d <= 0) return false;
  return measure === "RD" || (a + c > 0 && b + d > 0);
}

// Tables [events, others, events, others] pooled as they are: OR, RR, RD by Mantel and Haenszel, PETO by Peto.
export function poolTables(measure, all) {
  const tables = all.filter((table) => saysSomething(measure, table));
  const k = tables.length;
  const made = k ? COUNTED[measure](tables) : null;
  if (made === null) return { k, b: null, weights: [] };
  const b = made[0];
  const se = Math.sqrt(made[1]);
  const half = quantile(null) * se;
  return clean({
    k, b, se, ci_lb: b - half, ci_ub: b + half, pval: twoSided(b / se, null), dfs: null, tau2: 0,
    ...spreadOfTables(measure, tables, b), pi_lb: null, pi_ub: null, weights: [],
  });
}
