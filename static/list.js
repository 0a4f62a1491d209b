// Lists: a box that selects the whole page, the number of selected rows, and "Select" without loading the page anew.
(() => {
  const language = document.documentElement.lang;
  const said = (texts, number) => (new Intl.PluralRules(language).select(number) === "one" ? texts.one : texts.other)
    .replace("#", new Intl.NumberFormat(language).format(number));
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
    if (counter) counter.textContent = said(counter.dataset, elsewhere + here);
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
