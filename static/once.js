// A page that shows a secret once: loaded again, or gone back to, it is the page behind it, and nothing is sent a second time.
(() => {
  const shown = document.querySelector("[data-once]");
  if (shown) history.replaceState(null, "", shown.dataset.once);
})();
