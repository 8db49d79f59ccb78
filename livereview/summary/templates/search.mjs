// Search over the list on this page: what is typed must all be there, accents and capitals apart. Nothing is sent.

const box = document.getElementById("words");
const kind = document.getElementById("kind");
const review = document.getElementById("review");
const told = document.getElementById("told");
const rows = [...document.querySelectorAll("#found li[data-kind]")];
const groups = [...document.querySelectorAll("#found section")];

const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const texts = new Map(rows.map((row) => [row, plain(row.textContent)]));

function shown(row, words) {
  if (kind.value && row.dataset.kind !== kind.value) return false;
  if (review.value && row.dataset.review !== review.value) return false;
  const text = texts.get(row);
  return words.every((word) => text.includes(word));
}

function search() {
  const words = plain(box.value).split(/\s+/).filter(Boolean);
  let count = 0;
  for (const row of rows) {
    row.hidden = !shown(row, words);
    if (!row.hidden) count += 1;
  }
  for (const group of groups) group.hidden = !group.querySelector("li:not([hidden])");
  told.textContent = told.dataset.text.replace("{n}", count).replace("{all}", rows.length);
}

// The address keeps the search, so that it can be shared.
function write() {
  const asked = new URLSearchParams();
  for (const field of [box, kind, review]) if (field.value) asked.set(field.id, field.value);
  const text = asked.toString();
  history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
}

function read() {
  const asked = new URLSearchParams(location.hash.slice(1));
  for (const field of [box, kind, review]) field.value = asked.get(field.id) ?? "";
  search();
}

for (const field of [box, kind, review]) {
  field.addEventListener("input", () => {
    search();
    write();
  });
}
document.getElementById("form").addEventListener("submit", (event) => event.preventDefault());
document.getElementById("form").hidden = false;
addEventListener("hashchange", read);
read();
