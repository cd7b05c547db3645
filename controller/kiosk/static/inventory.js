// The report of an inventory: printed from this device, or on the desk's own printer.

const said = document.getElementById("said");
document.getElementById("print-here").addEventListener("click", () => window.print());
document.getElementById("print-desk")?.addEventListener("click", async () => {
  const answer = await fetch("/staff/inventory/print", { method: "POST" }).catch(() => null);
  said.textContent = answer ? (await answer.json()).said : "La machine redémarre. Attendez un instant.";
});
