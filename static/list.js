// Lists: a box that selects the whole page, the number of selected rows, and "Select" without loading the page anew.
(() => {
  const form = document.getElementById("list");
  const boxes = [...form?.querySelectorAll("input[name=ticked]") ?? []];
  if (!boxes.length) return;
  const all = form.querySelector("[data-tick-all]");
  const counter = form.querySelector("[data-chosen]");
  const elsewhere = Number(form.dataset.elsewhere);
  const showCount = () => {
    const here = boxes.filter(box => box.checked).length;
    if (all) {
      all.checked = here === boxes.length;
      all.indeterminate = here > 0 && here < boxes.length;
    }
    const number = new Intl.NumberFormat(document.documentElement.lang).format(elsewhere + here);
    if (counter) counter.textContent = counter.textContent.replace(/[\d\s.,\u00a0\u202f]*\d/, number);
  };
  if (counter) counter.hidden = false;
  if (all) {
    all.hidden = false;
    all.addEventListener("change", () => { boxes.forEach(box => { box.checked = all.checked; }); showCount(); });
  }
  form.addEventListener("change", event => { if (event.target.name === "ticked") showCount(); });
  form.querySelector("[data-select]")?.addEventListener("click", event => {
    event.preventDefault();
    form.querySelector("[data-selecting]").checked = true;
    boxes[0].focus();
  });
  showCount();
})();
