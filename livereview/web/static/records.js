// The table of records: "/" goes to the search field, X marks the row that has the focus, Filters stand open where there is
// room. J and K are in screening.js. Everything works without this file too.
(() => {
  "use strict";

  const typing = (target) => target.closest("input:not([type=checkbox]), textarea, select, [contenteditable]") !== null;
  const off = () => {
    try { return JSON.parse(localStorage.getItem("livereview:keys"))?.preset === "off"; } catch { return false; }
  };

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (off() || typing(event.target) || document.querySelector("dialog[open]")) return;
    const search = document.querySelector("[data-search]");
    const mark = event.target.closest("tr")?.querySelector("[data-mark]");
    if (event.key === "/" && search) { event.preventDefault(); search.focus(); search.select(); }
    else if (event.key.toLowerCase() === "x" && mark) { event.preventDefault(); mark.click(); }
  });

  const drawer = document.querySelector("[data-drawer]");
  const wide = matchMedia("(min-width: 60rem)");
  const fit = () => { if (drawer) drawer.open = wide.matches; };
  wide.addEventListener("change", fit);
  fit();
})();
