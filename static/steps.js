// Long work in steps: send one step after the other, show the progress, and reload the page at the end.
(() => {
  const form = document.querySelector("[data-steps]");
  if (!form) return;
  const bar = form.querySelector("progress");
  const taken = form.querySelector("[data-taken]");
  form.querySelector("button").hidden = true;
  const step = async () => {
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(answer.statusText);
    const progress = await answer.json();
    bar.value = progress.taken;
    taken.textContent = new Intl.NumberFormat(document.documentElement.lang).format(progress.taken);
    if (progress.running) await step();
    else location.reload();
  };
  step().catch(() => { form.querySelector("button").hidden = false; });
})();
