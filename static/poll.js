// Asks the server for a part of the page every two seconds, until the part contains [data-end].
(() => {
  const intervalMilliseconds = 2000;
  for (const place of document.querySelectorAll("[data-watch]")) {
    const look = async () => {
      let next = intervalMilliseconds;
      try {
        const answer = await fetch(place.dataset.watch, { headers: { "X-Requested-With": "watch" }, redirect: "error" });
        const text = (await answer.text()).trim();
        if (answer.ok && text !== place.dataset.content) {
          place.innerHTML = place.dataset.content = text;
          showNotes();
        }
      } catch {
        next = 5 * intervalMilliseconds; // the server or the network cannot be reached
      }
      if (!place.querySelector("[data-end]")) setTimeout(look, next);
    };
    const showNotes = () => { for (const note of place.querySelectorAll(".watching")) note.hidden = false; };
    showNotes();
    if (!place.querySelector("[data-end]")) setTimeout(look, intervalMilliseconds);
  }
})();
