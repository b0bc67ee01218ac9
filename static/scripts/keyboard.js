// Lists by keyboard: j and k move over the rows, x ticks, Enter opens; and the count of ticked rows in the batch bar.
import { open as openDialog } from "./dialog.js";

const SETTING = "guitu-single-keys";
const help = document.getElementById("keyboard-help");
const typing = (element) => element.closest("input:not([type=checkbox]), textarea, select, [contenteditable]") !== null;
const rows = () => [...document.querySelectorAll("table[data-rows] tbody tr")];

function current() {
  return document.querySelector("table[data-rows] tr[aria-selected=true]");
}

function select(row) {
  current()?.removeAttribute("aria-selected");
  row.setAttribute("aria-selected", "true");
  row.querySelector("a")?.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(current());
  const next = at === -1 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1);
  select(all[next]);
}

function tick() {
  const box = current()?.querySelector("input[type=checkbox]");
  if (!box) return;
  box.checked = !box.checked;
  box.dispatchEvent(new Event("change", { bubbles: true }));
}

function open() {
  current()?.querySelector("a")?.click();
}

const KEYS = { j: () => move(1), k: () => move(-1), x: tick, Enter: open };

// Single keys can be switched off, because speech input may type them by accident (WCAG 2.1.4).
const isOn = () => localStorage.getItem(SETTING) !== "off";
const choice = help?.querySelector("input");
if (choice) {
  choice.checked = isOn();
  choice.addEventListener("change", () => localStorage.setItem(SETTING, choice.checked ? "on" : "off"));
}
document.querySelectorAll("[data-needs-script]").forEach((element) => { element.hidden = false; });

document.addEventListener("keydown", (event) => {
  if (event.key === "?" && help && isOn() && !typing(event.target)) openDialog(help);
  const act = KEYS[event.key];
  if (!act || !isOn() || document.querySelector("dialog[open]:modal") || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  // Enter on a link or a button keeps its own meaning.
  if (event.key === "Enter" && event.target.closest("a, button, summary")) return;
  if (!rows().length || (event.key !== "j" && event.key !== "k" && !current())) return;
  event.preventDefault();
  act();
});

function count(form) {
  const bar = form.querySelector(".bulk");
  if (!bar) return;
  const boxes = [...form.querySelectorAll("tbody input[type=checkbox]")];
  const ticked = boxes.filter((box) => box.checked);
  boxes.forEach((box) => box.closest("tr").classList.toggle("picked", box.checked));
  bar.hidden = ticked.length === 0;
  bar.querySelector("b").textContent = `已选 ${ticked.length} 件`;
}

function watch(root) {
  root.querySelectorAll("form[data-bulk]").forEach(count);
}

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-bulk]");
  if (form) count(form);
});
document.addEventListener("click", (event) => {
  const clear = event.target.closest(".bulk a[href='#case-list']");
  if (!clear) return;
  const form = clear.closest("form[data-bulk]");
  form.querySelectorAll("tbody input[type=checkbox]").forEach((box) => { box.checked = false; });
  count(form);
  event.preventDefault();
});
document.body.addEventListener("htmx:afterSwap", () => watch(document));
watch(document);
