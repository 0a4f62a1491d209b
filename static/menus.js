// The tab of the page is scrolled into view where the tabs do not fit.
{
  const tab = document.querySelector(".tabs [aria-current]");
  if (tab) tab.parentElement.scrollLeft = tab.offsetLeft + tab.offsetWidth - tab.parentElement.offsetLeft - tab.parentElement.clientWidth;
}

// Menus that open below their button close by Escape, which moves the focus back to the button, and when the focus or a
// click goes elsewhere.
(() => {
  const menus = document.querySelectorAll("details.more");
  document.addEventListener("keydown", event => {
    if (event.key !== "Escape") return;
    for (const menu of menus) {
      if (!menu.open) continue;
      if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
      menu.open = false;
    }
  });
  for (const kind of ["focusin", "pointerdown"]) {
    document.addEventListener(kind, event => {
      for (const menu of menus) if (!menu.contains(event.target)) menu.open = false;
    });
  }
})();
