// Long work in steps: sends one after the other and shows how far it is; at the end the page is read again.
(() => {
  const form = document.querySelector("[data-steps]");
  if (!form) return;
  const bar = form.querySelector("progress");
  const taken = form.querySelector("[data-taken]");
  form.querySelector("button").hidden = true;
  const step = async () => {
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(answer.statusText);
    const told = await answer.json();
    bar.value = told.taken;
    taken.textContent = new Intl.NumberFormat(document.documentElement.lang).format(told.taken);
    if (told.running) await step();
    else location.reload();
  };
  step().catch(() => { form.querySelector("button").hidden = false; });
})();
