// A form with a preview: after a change, ask for the preview of the values as they are now. One request at a time.
(() => {
  const form = document.querySelector("form[data-preview]");
  if (!form) return;
  const place = form.querySelector("#effect");
  const said = form.querySelector("[data-said]");
  const stop = new AbortController();
  let timer, running = false, waiting = false;
  const busy = on => {
    place.setAttribute("aria-busy", on);
    place.querySelector("[data-counting]").hidden = !on;
    for (const button of place.querySelectorAll("[name=save]")) button.disabled = on;
  };
  const look = async () => {
    waiting = running;
    if (running) return;
    running = true;
    const sent = new FormData(form);
    sent.set("part", "yes");
    try {
      const answer = await fetch(location.href.split("#")[0], { method: "POST", body: sent, signal: stop.signal });
      if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
      const html = await answer.text();
      if (!waiting) {
        place.innerHTML = html;
        said.textContent = place.querySelector("[data-headline]")?.textContent ?? "";
      }
    } finally {
      running = false;
      if (waiting) look().catch(() => busy(false));
      else busy(false);
    }
  };
  form.addEventListener("input", event => {
    const box = event.target.closest(".say")?.querySelector("[type=checkbox]");
    if (box && event.target.matches(".days-in")) box.checked = true;
    busy(true);
    clearTimeout(timer);
    timer = setTimeout(() => look().catch(() => busy(false)), 500);
  });
  form.addEventListener("submit", () => { clearTimeout(timer); stop.abort(); });
})();
