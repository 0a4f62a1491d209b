// A page that shows a secret once: if it is reloaded, the browser opens another page and sends no form a second time.
(() => {
  const page = document.querySelector("[data-once]");
  if (page) history.replaceState(null, "", page.dataset.once);
})();
