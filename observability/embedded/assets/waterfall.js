// Moves through the rows of a waterfall by keyboard, and folds them all at once. Without it the page works row by row.
"use strict";
(() => {
  const rows = [...document.querySelectorAll("summary.row")];
  const tools = document.querySelector(".tools .for-script");
  if (!rows.length || !tools) return;
  tools.hidden = false;

  const isShown = (row) => row.offsetParent !== null;
  const nodeOf = (row) => row.closest(".node");
  const foldOf = (row) => nodeOf(row).querySelector(":scope > .fold");
  const current = () => rows.findIndex((row) => row.parentElement.contains(document.activeElement)
    || foldOf(row) === document.activeElement);

  function go(row) {
    if (!row) return;
    for (let node = nodeOf(row).parentElement.closest(".node"); node; node = node.parentElement.closest(".node")) {
      node.querySelector(":scope > .fold").checked = false;
    }
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  // From the current row on, in reading order and round the end.
  function next(step, wanted) {
    const at = current();
    const from = at < 0 ? (step > 0 ? -1 : rows.length) : at;
    for (let far = 1; far <= rows.length; far += 1) {
      const row = rows[(from + step * far + rows.length * 2) % rows.length];
      if (wanted(row)) return go(row);
    }
    return undefined;
  }

  function along(step) {
    const list = rows.filter(isShown);
    const at = list.indexOf(rows[current()]);
    go(at < 0 ? list[0] : list[at + step]);
  }

  function inward() {
    const row = rows[current()];
    const fold = row && foldOf(row);
    if (fold && fold.checked) fold.checked = false;
    else if (row) row.parentElement.open = true;
  }

  function outward() {
    const row = rows[current()];
    if (!row) return;
    const fold = foldOf(row);
    if (row.parentElement.open) row.parentElement.open = false;
    else if (fold && !fold.checked) fold.checked = true;
    else {
      const parent = nodeOf(row).parentElement.closest(".node");
      if (parent) go(parent.querySelector("summary.row"));
    }
  }

  function foldAll(folded) {
    for (const row of rows) {
      const fold = foldOf(row);
      if (fold) fold.checked = folded;
      if (folded) row.parentElement.open = false;
    }
    // The first row is the whole trace: folded, nothing would be left to see.
    if (folded && foldOf(rows[0])) foldOf(rows[0]).checked = false;
  }

  const has = (name) => (row) => name in row.dataset;
  const keys = {
    ArrowDown: () => along(1), j: () => along(1),
    ArrowUp: () => along(-1), k: () => along(-1),
    ArrowRight: inward, ArrowLeft: outward,
    e: () => next(1, has("bad")), E: () => next(-1, has("bad")),
    r: () => next(1, has("retried")), f: () => next(1, has("fault")), c: () => next(1, has("critical")),
    "-": () => foldAll(true), "+": () => foldAll(false),
  };

  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input:not([type=checkbox]), select, textarea");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  });
  document.querySelector("[data-fold=all]").addEventListener("click", () => foldAll(true));
  document.querySelector("[data-fold=none]").addEventListener("click", () => foldAll(false));
})();
