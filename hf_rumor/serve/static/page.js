// The page: its sections, its language, and the start of each section.

import { startFile } from "./file.js";
import { startModel } from "./model.js";
import { startPost } from "./post.js";
import { refreshQueue, startQueue } from "./queue.js";
import { $, currentLanguage, setLanguage } from "./shared.js";

const SECTIONS = ["post", "file", "queue", "model"];

function showSection() {
  if (location.hash === "#main") return; // the link that skips the header
  const wanted = location.hash.slice(1);
  const shown = SECTIONS.includes(wanted) ? wanted : SECTIONS[0];
  for (const name of SECTIONS) $(name).hidden = name !== shown;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${shown}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (shown === "queue") refreshQueue();
}

$("language").addEventListener("click", () => {
  setLanguage(currentLanguage() === "zh" ? "en" : "zh");
  showLanguage();
});

function showLanguage() {
  $("language").textContent = currentLanguage() === "zh" ? "English" : "中文";
  $("language").lang = currentLanguage() === "zh" ? "en" : "zh";
}

window.addEventListener("hashchange", () => {
  showSection();
  window.scrollTo(0, 0);
});

setLanguage(currentLanguage());
showLanguage();
startPost();
startFile();
startQueue();
showSection();
startModel();
