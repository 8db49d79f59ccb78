// Keeps what is typed in a study's form on the server, a few seconds after each change. Without this file the button
// "Save for now" does the same. It also opens the section that the list at the top leads to.
(() => {
  "use strict";

  const PAUSE = 3000; // milliseconds without a change
  const AGAIN = 15000; // milliseconds after a save that did not arrive
  const SMALL = 60000; // bytes that a browser sends for a page that is being left

  const reveal = () => {
    const target = location.hash.startsWith("#") && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let box = target && target.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
    if (target) target.scrollIntoView();
  };
  window.addEventListener("hashchange", reveal);
  document.querySelector(".contents")?.addEventListener("click", (event) => {
    if (event.target.hash === location.hash) reveal();
  });

  const form = document.querySelector("form[data-draft]");
  const state = document.getElementById("draft-state");
  if (!form || !state) return;

  let changed = 0; // counts changes
  let kept = 0; // the count that the server has
  let sending = false;
  let leaving = false; // the form itself is on its way
  let timer = 0;

  // A status that says the same again is not read out again.
  const tell = (words, link) => {
    if (state.textContent === words) return;
    state.textContent = words;
    if (!link) return;
    const anchor = document.createElement("a");
    anchor.href = link;
    anchor.textContent = " See both";
    state.append(anchor);
  };

  const clock = (moment) => new Date(moment).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });

  const body = () => {
    const typed = new URLSearchParams(new FormData(form));
    typed.set("act", "keep");
    return typed;
  };

  const later = (pause) => {
    clearTimeout(timer);
    timer = setTimeout(save, pause);
  };

  const take = (answer, upto) => {
    kept = upto;
    form.elements.draft.value = answer.draft;
    form.elements.draft_version.value = answer.version;
    if (answer.beside) {
      form.dataset.beside = answer.link;
    }
    if (form.dataset.beside) {
      tell(`This form was also changed in another tab or on another device. What you type here is kept as a draft of its own, saved at ${clock(answer.saved)}.`, form.dataset.beside);
    } else {
      tell(`Draft saved at ${clock(answer.saved)}`);
    }
  };

  async function save() {
    if (sending || leaving || changed === kept) return;
    sending = true;
    const upto = changed;
    try {
      const answer = await fetch(form.dataset.draft, {
        method: "POST", body: body(), headers: { Accept: "application/json" }, redirect: "error",
      });
      if (!answer.ok) throw new Error(String(answer.status));
      take(await answer.json(), upto);
    } catch (error) {
      const signedOut = error.message === "401" || error.message === "403";
      tell(signedOut
        ? "Draft not saved: your session has ended. What you typed is still here; copy it before you leave this page."
        : "Draft not saved. What you typed is still here; it is tried again.");
      later(AGAIN);
      return;
    } finally {
      sending = false;
    }
    if (changed !== kept) later(PAUSE);
  }

  form.addEventListener("input", () => {
    changed += 1;
    later(PAUSE);
  });
  form.addEventListener("submit", () => { leaving = true; });
  window.addEventListener("pageshow", () => { leaving = false; });

  // A page that is left or hidden may never come back: what is not kept yet is sent at once.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "hidden" || leaving || changed === kept) return;
    const typed = body();
    if (typed.toString().length > SMALL) return void save();
    const upto = changed;
    fetch(form.dataset.draft, { method: "POST", body: typed, headers: { Accept: "application/json" }, keepalive: true })
      .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)))))
      .then((answer) => take(answer, upto))
      .catch(() => later(AGAIN));
  });
  window.addEventListener("beforeunload", (event) => {
    if (!leaving && changed !== kept) event.preventDefault();
  });
})();
