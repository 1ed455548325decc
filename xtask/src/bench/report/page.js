"use strict";

// The theme: as the system has it, until the button says otherwise.
const themes = ["auto", "light", "dark"];
const button = document.getElementById("theme");
const remembered = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
function show(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  button.textContent = "Theme: " + theme;
  button.dataset.now = theme;
}
button.addEventListener("click", () => {
  const next = themes[(themes.indexOf(button.dataset.now) + 1) % themes.length];
  show(next);
  try { localStorage.setItem("theme", next); } catch { /* a file may have no storage */ }
});
show(themes.includes(remembered()) ? remembered() : "auto");

// A record as a file.
for (const save of document.querySelectorAll("[data-save]")) {
  save.addEventListener("click", () => {
    const text = document.getElementById(save.dataset.save).textContent;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = save.dataset.name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}

// Whose matrix is shown.
for (const choice of document.querySelectorAll("[data-matrix]")) {
  choice.addEventListener("change", () => {
    for (const matrix of document.querySelectorAll("[data-of]")) {
      if (matrix.dataset.of === choice.dataset.matrix) matrix.hidden = matrix.dataset.backend !== choice.value;
    }
  });
}

// A link into a folded record unfolds it.
function unfold() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
}
addEventListener("hashchange", unfold);
unfold();
