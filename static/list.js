// Lists: a box that selects the whole page, the number of selected rows, and filters that are sent at once.
(() => {
  const form = document.querySelector("[data-list]");
  if (!form) return;
  const boxes = [...form.querySelectorAll("input[name=ticked]")];
  const all = form.querySelector("[data-tick-all]");
  const counters = [...form.querySelectorAll("[data-chosen]")];
  const bar = form.querySelector(".bulk-do");
  const elsewhere = counters.length ? Number(counters[0].dataset.chosen) - boxes.filter(box => box.checked).length : 0;
  const showCount = () => {
    const here = boxes.filter(box => box.checked).length;
    if (all) {
      all.checked = here === boxes.length;
      all.indeterminate = here > 0 && here < boxes.length;
    }
    const number = new Intl.NumberFormat(document.documentElement.lang).format(elsewhere + here);
    for (const place of counters) place.textContent = place.textContent.replace(/[\d\s.,\u00a0\u202f]*\d/, number);
    bar?.toggleAttribute("data-any", elsewhere + here > 0);
  };
  if (all) {
    all.hidden = false;
    all.addEventListener("change", () => { boxes.forEach(box => { box.checked = all.checked; }); showCount(); });
  }
  // A select that is changed by mouse or touch sends the filters at once. By keyboard each arrow key is a change, so the
  // user must press the button.
  let byPointer = false;
  for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, event => { byPointer = event.type === "pointerdown"; }, true);
  form.addEventListener("change", event => {
    if (event.target.name === "ticked") showCount();
    else if (byPointer && event.target.matches(".filters select")) form.requestSubmit(form.querySelector("button[name=filter]"));
  });
  if (boxes.length) showCount();
})();
