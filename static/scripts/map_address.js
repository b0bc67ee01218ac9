// The address of the map page: it always says what is seen.
export function note(changes) {
  const address = new URL(location.href);
  for (const [key, value] of Object.entries(changes)) if (value === null || value === "") address.searchParams.delete(key); else address.searchParams.set(key, value);
  history.replaceState(null, "", address);
}

// An empty list of layers means that none is shown, which is not the same as a list that is not there.
export function noteLayers(on) {
  const address = new URL(location.href);
  address.searchParams.set("layers", on.join(","));
  history.replaceState(null, "", address);
}

// Searches go on from the map as it is now, not as it was when the page came.
export function bindSearches() {
  for (const form of document.querySelectorAll("[data-find-place]")) form.addEventListener("submit", (event) => {
    event.preventDefault();
    note({ q: form.elements.q.value, plot: null, case: null, at: null, side: null, source: null });
    location.reload();
  });
  for (const link of document.querySelectorAll("[data-carry]")) link.addEventListener("click", () => { link.search = location.search; });
  const kept = document.getElementById("map-favourites");
  kept.addEventListener("submit", () => { kept.elements.state.value = location.search; });
}
