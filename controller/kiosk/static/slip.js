// The slip page: prints through the browser, or through the kiosk's own printer.
document.getElementById("print-here").addEventListener("click", () => window.print());
const desk = document.getElementById("print-desk");
desk?.addEventListener("click", async () => {
  desk.disabled = true;
  const answer = await fetch(`/staff/slip/${desk.dataset.parcel}/print`, { method: "POST", body: "" }).catch(() => null);
  document.getElementById("said").textContent = answer ? (await answer.json()).said : "La machine redémarre. Réessayez.";
  setTimeout(() => { desk.disabled = false; }, 3000);
});
