// Unsaved changes: leaving is asked about while an autosaved form, or one marked data-unsaved, holds words the server has not got.

const GUARDED = "form[data-unsaved], form[hx-target='#autosave']";
const unsaved = new Set();
const guarded = (event) => event.target.closest?.(GUARDED);

document.addEventListener("input", (event) => {
  const form = guarded(event);
  if (form) unsaved.add(form);
});

document.addEventListener("submit", (event) => unsaved.delete(event.target));

// An autosave answers with the state of what it was sent; typing after that counts again.
document.addEventListener("htmx:beforeRequest", (event) => {
  const form = guarded(event);
  if (form) unsaved.delete(form);
});

document.addEventListener("htmx:afterRequest", (event) => {
  const form = guarded(event);
  if (form && !event.detail.successful) unsaved.add(form);
});

window.addEventListener("beforeunload", (event) => {
  if ([...unsaved].some((form) => form.isConnected)) event.preventDefault();
});
