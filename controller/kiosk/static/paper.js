// The pages of the desk's papers: each print button asks the kiosk's own printer, or the browser's.
const said = document.getElementById("said");
document.getElementById("print-here")?.addEventListener("click", () => window.print());
document.getElementById("language")?.addEventListener("change", (event) => event.target.form.submit());
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-print]");
  if (!button) return;
  button.disabled = true;
  const answer = await fetch(`/staff/paper/${button.dataset.print}/print`, { method: "POST", body: "" }).catch(() => null);
  said.textContent = answer ? (await answer.json()).said : "La machine redémarre. Réessayez.";
  setTimeout(() => { button.disabled = false; }, 3000);
});
