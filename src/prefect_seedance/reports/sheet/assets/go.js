// Starts the page.
restoreTheme();
fillTop();
drawCharts();
fillTools();
look();
layout();
new ResizeObserver(() => { if (grid.clientWidth !== size.room) layout(); }).observe(grid);
tellShown();
listenToTools();
listenToPointer();
listenToPresses();
listenToKeys();
addEventListener("scroll", soon, { passive: true });
addEventListener("beforeprint", () => {
  printing = true;
  render();
  for (const image of grid.querySelectorAll("img")) image.loading = "eager";
});
addEventListener("afterprint", () => { printing = false; render(); });
document.documentElement.dataset.ready = "true";
