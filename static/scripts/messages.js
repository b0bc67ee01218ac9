// Messages: focus goes to what needs attention, and a lost connection is said without losing what was typed.

const focusFirst = (root) => root.querySelector("[data-focus]")?.focus();

document.addEventListener("htmx:afterSettle", (event) => focusFirst(event.target));
if (!location.hash) focusFirst(document);

document.addEventListener("htmx:sendError", (event) => {
  if (event.target.closest("[data-says-itself]")) return;
  const message = document.getElementById("offline-message");
  document.getElementById("page-messages")?.replaceChildren(message.content.cloneNode(true));
});
