// Shows the user name and password from the fragment of the URL, then removes them from the URL.
(() => {
  const given = new URLSearchParams(location.hash.slice(1));
  if (!given.get("user") || !given.get("secret")) return;
  document.getElementById("copy-user").textContent = given.get("user");
  document.getElementById("copy-secret").textContent = given.get("secret");
  document.getElementById("setup-empty").hidden = true;
  document.getElementById("setup-given").hidden = false;
  history.replaceState(null, "", location.pathname);
})();
