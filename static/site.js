// The search box suggests results while the visitor types (an ARIA combobox), and pages swap their main part. Without
// this script the box is a plain form and the links are plain links.
"use strict";

const list = document.createElement("ul");
list.id = "suggestions";
list.className = "suggestions";
list.setAttribute("role", "listbox");
list.setAttribute("aria-label", "Suggestions");
list.hidden = true;
let box = null; // the input that the list belongs to
let asked = 0; // number of the newest request: answers to older requests are dropped
let timer = 0;

function options() {
  return [...list.children];
}

function close() {
  asked += 1;
  clearTimeout(timer);
  list.hidden = true;
  if (box) {
    box.setAttribute("aria-expanded", "false");
    box.removeAttribute("aria-activedescendant");
  }
}

function choose(option) {
  options().forEach((one) => one.setAttribute("aria-selected", String(one === option)));
  if (option) {
    box.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  } else {
    box.removeAttribute("aria-activedescendant");
  }
}

async function suggest() {
  const mine = (asked += 1);
  const text = box.value.trim();
  if (text.length < 2) {
    close();
    return;
  }
  const answer = await fetch(`${box.dataset.suggest}?${new URLSearchParams({ q: text })}`);
  const found = answer.ok ? await answer.text() : "";
  if (mine !== asked) return;
  list.innerHTML = found; // from our own server, which escapes it
  list.hidden = !list.children.length;
  box.setAttribute("aria-expanded", String(!list.hidden));
}

function take(input) {
  if (box === input) return;
  box = input;
  box.setAttribute("role", "combobox");
  box.setAttribute("aria-autocomplete", "list");
  box.setAttribute("aria-controls", list.id);
  box.setAttribute("aria-expanded", "false");
  box.form.append(list);
}

document.addEventListener("input", (event) => {
  if (!event.target.dataset.suggest) return;
  take(event.target);
  clearTimeout(timer);
  timer = setTimeout(suggest, 120);
});

document.addEventListener("keydown", (event) => {
  if (event.target !== box || list.hidden) return;
  const all = options();
  const at = all.findIndex((one) => one.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown") choose(all[(at + 1) % all.length]);
  else if (event.key === "ArrowUp") choose(all[(at <= 0 ? all.length : at) - 1]);
  else if (event.key === "Enter" && at >= 0) location.href = all[at].dataset.href;
  else if (event.key === "Escape") close();
  else return;
  event.preventDefault();
});

document.addEventListener("mousedown", (event) => {
  const option = event.target.closest("#suggestions [role=option]");
  if (option) location.href = option.dataset.href;
});

document.addEventListener("focusout", (event) => {
  if (event.target === box) close();
});

// Only a script can print or copy.
function offerScripted() {
  for (const button of document.querySelectorAll("[data-print], [data-copy]")) button.hidden = false;
}
offerScripted();
document.addEventListener("click", (event) => event.target.closest("[data-print]") && print());
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy);
  text.select();
  // Without https there is no clipboard, but what is selected can be copied by keyboard.
  if (navigator.clipboard) await navigator.clipboard.writeText(text.value);
  button.textContent = navigator.clipboard ? "Copied" : "Selected";
});

// The menu of more pages closes when the visitor goes on or presses Escape.
function closeMenu(event) {
  const menu = document.querySelector("details.more[open]");
  if (!menu || (event.type === "click" && menu.contains(event.target) && !event.target.closest("a"))) return;
  if (event.type === "keydown" && event.key !== "Escape") return;
  menu.open = false;
  if (event.type === "keydown") menu.querySelector("summary").focus();
}
document.addEventListener("click", closeMenu);
document.addEventListener("keydown", closeMenu);

// Tables that scroll sideways can be focused, so that they can be scrolled by keyboard.
function reachable() {
  for (const part of document.querySelectorAll(".scroll:not(.tall)")) {
    if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
    else part.removeAttribute("tabindex");
  }
}
reachable();
addEventListener("resize", reachable);

// Menus that scroll sideways begin at the current page.
function showCurrent() {
  for (const link of document.querySelectorAll("nav > ul > li > [aria-current]")) {
    const menu = link.closest("ul");
    const [at, all] = [link.getBoundingClientRect(), menu.getBoundingClientRect()];
    if (at.right > all.right) menu.scrollLeft += Math.min(at.right - all.right + 24, at.left - all.left);
  }
}
showCurrent();

// A link to a part that is folded opens it. On a page that is loaded the browser does that.
function openTarget() {
  const target = document.getElementById(location.hash.slice(1));
  if (!target?.closest("details:not([open])")) return;
  for (let one = target.closest("details"); one; one = one.parentElement.closest("details")) one.open = true;
  target.scrollIntoView();
}

// After part of the page was swapped, move the focus to its beginning.
document.addEventListener("htmx:after:swap", () => {
  close();
  reachable();
  offerScripted();
  showCurrent();
  // The box of the header is not swapped: it says what the page is about, as on a page that is loaded.
  document.querySelector(".top .find input").value = new URLSearchParams(location.search).get("q") ?? "";
  document.getElementById("main").focus({ preventScroll: true });
  openTarget();
});
