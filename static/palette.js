// The search of the whole panel, opened by Ctrl K or ⌘K or by the links to it: the server's results as one types.
(() => {
  const palette = document.getElementById("palette");
  if (!palette?.showModal) return;
  const pauseMilliseconds = 150;
  const input = palette.querySelector("input");
  const place = palette.querySelector("[data-hits]");
  let request = null, timer = 0;
  const open = event => {
    event.preventDefault();
    if (!palette.open) palette.showModal();
    input.select();
  };
  const look = async () => {
    request?.abort();
    request = new AbortController();
    const text = input.value;
    const query = new URLSearchParams({ q: text, part: "1" });
    try {
      const answer = await fetch(`${palette.dataset.results}?${query}`, { signal: request.signal, redirect: "error" });
      if (!answer.ok) return;
      place.innerHTML = await answer.text();
      place.dataset.query = text;
    } catch {
      return; // a newer search is on its way, or the server cannot be reached: Enter leads to the page
    }
  };
  const move = step => {
    const hits = [...place.querySelectorAll("[data-hit]")];
    const at = hits.indexOf(document.activeElement);
    const next = at + step;
    if (next < 0 || !hits.length) input.focus();
    else hits[Math.min(next, hits.length - 1)].focus();
  };
  if (/Mac|iPhone|iPad/.test(navigator.platform)) for (const key of document.querySelectorAll(".find kbd")) key.textContent = "⌘K";
  document.addEventListener("keydown", event => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") open(event);
  });
  for (const link of document.querySelectorAll("[data-palette]")) link.addEventListener("click", event => {
    if (!event.ctrlKey && !event.metaKey && !event.shiftKey) open(event);
  });
  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(look, pauseMilliseconds); });
  palette.addEventListener("keydown", event => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) { event.preventDefault(); move(step); }
  });
  palette.querySelector("form").addEventListener("submit", event => {
    const first = place.dataset.query === input.value && place.querySelector("[data-hit]");
    if (first) { event.preventDefault(); location.assign(first.href); }
  });
  palette.addEventListener("click", event => { if (event.target === palette) palette.close(); });
})();
