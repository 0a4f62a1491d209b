// Buttons that copy the text of another element; where the browser lets no page copy, it is selected instead.
(() => {
  for (const button of document.querySelectorAll("[data-copy]")) {
    const source = document.getElementById(button.dataset.copy);
    const label = button.querySelector("span");
    const before = label.textContent;
    button.hidden = !source.textContent;
    button.addEventListener("click", async () => {
      getSelection().selectAllChildren(source);
      try {
        await navigator.clipboard.writeText(source.textContent);
      } catch {
        return; // the text is selected: the keyboard or the phone's menu copies it
      }
      label.textContent = button.dataset.done;
      setTimeout(() => { label.textContent = before; }, 2000);
    });
  }
})();
