// Autosave: when the network is gone, say so beside the buttons and try again; htmx does the rest.

const RETRY_MS = 10000;
let waiting = 0;

const status = () => document.querySelector("[data-autosave]");
const formOf = (event) => event.target.closest?.("form[hx-post][hx-target='#autosave']");

document.addEventListener("htmx:sendError", (event) => {
  const form = formOf(event);
  if (!form || !status()) return;
  status().textContent = "没有保存，网络断开。正在重试";
  status().dataset.autosave = "failed";
  clearTimeout(waiting);
  waiting = setTimeout(() => form.dispatchEvent(new Event("change", { bubbles: true })), RETRY_MS);
});

document.addEventListener("htmx:afterRequest", (event) => {
  if (formOf(event) && event.detail.successful) clearTimeout(waiting);
});
