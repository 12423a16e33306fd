// Fills the version switcher from OUT/versions.js, and says so on pages of an older version.
document.addEventListener("DOMContentLoaded", () => {
  const site = window.siteVersions;
  if (!site) return;
  for (const menu of document.querySelectorAll(".site-versions")) {
    const { version, root, page } = menu.dataset;
    const address = (one) => `${root}../${one.version}/${one.pages.includes(page) ? page : "index.html"}`;
    for (const one of site.versions) {
      menu.add(new Option(one.label, address(one), false, one.version === version));
    }
    menu.hidden = false;
    menu.addEventListener("change", () => window.location.assign(menu.value));
    const newest = site.versions.find((one) => one.version === site.newest);
    if (version !== site.newest && !document.querySelector(".site-version-note")) {
      const note = document.createElement("div");
      note.className = "site-version-note";
      note.append(`These pages are of version ${version}. `);
      const link = document.createElement("a");
      link.href = address(newest);
      link.textContent = `The newest release is ${site.newest}.`;
      note.append(link);
      document.body.prepend(note);
    }
  }
});
