// Asks the server every two seconds how something stands, until it says that there is nothing more to wait for.
(() => {
  const every = 2000;
  for (const place of document.querySelectorAll("[data-watch]")) {
    const look = async () => {
      let next = every;
      try {
        const answer = await fetch(place.dataset.watch, { headers: { "X-Requested-With": "watch" }, redirect: "error" });
        const text = (await answer.text()).trim();
        if (answer.ok && text !== place.dataset.shown) {
          place.innerHTML = place.dataset.shown = text;
          told();
        }
      } catch {
        next = 5 * every; // the server or the network is away for a moment
      }
      if (!place.querySelector("[data-end]")) setTimeout(look, next);
    };
    const told = () => { for (const note of place.querySelectorAll(".watching")) note.hidden = false; };
    told();
    if (!place.querySelector("[data-end]")) setTimeout(look, every);
  }
})();
