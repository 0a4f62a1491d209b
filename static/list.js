// A list without a click too many: one box for the whole page, the count of the chosen, filters that go by themselves.
(() => {
  const form = document.querySelector("[data-list]");
  if (!form) return;
  const boxes = [...form.querySelectorAll("input[name=ticked]")];
  const all = form.querySelector("[data-tick-all]");
  const told = [...form.querySelectorAll("[data-chosen]")];
  const bar = form.querySelector(".bulk-do");
  const elsewhere = told.length ? Number(told[0].dataset.chosen) - boxes.filter(box => box.checked).length : 0;
  const tell = () => {
    const here = boxes.filter(box => box.checked).length;
    if (all) {
      all.checked = here === boxes.length;
      all.indeterminate = here > 0 && here < boxes.length;
    }
    const number = new Intl.NumberFormat(document.documentElement.lang).format(elsewhere + here);
    for (const place of told) place.textContent = place.textContent.replace(/[\d\s.,\u00a0\u202f]*\d/, number);
    bar?.toggleAttribute("data-any", elsewhere + here > 0);
  };
  if (all) {
    all.hidden = false;
    all.addEventListener("change", () => { boxes.forEach(box => { box.checked = all.checked; }); tell(); });
  }
  // By the keyboard each arrow is a change: there the button is what sends, else the list would go at the first arrow.
  let pointed = false;
  for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, event => { pointed = event.type === "pointerdown"; }, true);
  form.addEventListener("change", event => {
    if (event.target.name === "ticked") tell();
    else if (pointed && event.target.matches(".filters select")) form.requestSubmit(form.querySelector("button[name=filter]"));
  });
  if (boxes.length) tell();
})();
