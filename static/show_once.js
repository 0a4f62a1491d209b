// A page that shows a secret once: if it is reloaded, the browser opens another page and sends no form a second time.
// The links of its programs show the steps of one program each, without another page, which would not have the secret.
(() => {
  const page = document.querySelector("[data-once]");
  if (!page) return;
  history.replaceState(null, "", page.dataset.once);
  const pick = page.querySelector("[data-programs]");
  if (!pick) return;
  const links = [...pick.querySelectorAll("a")];
  pick.hidden = false;
  pick.addEventListener("click", event => {
    const chosen = event.target.closest("a");
    if (!chosen) return;
    event.preventDefault();
    for (const link of links) link.toggleAttribute("aria-current", false);
    chosen.setAttribute("aria-current", "true");
    for (const part of page.querySelectorAll("[data-program]")) part.hidden = `#${part.id}` !== chosen.hash;
  });
})();
