// The physical bank: doors where they hang, what lies inside, and what hands can do at the chosen one.
import { button, node } from "./page.js";

const FAULTS = { jam: "coincée", "cut-sensor": "capteur coupé", bounce: "rebond" };

export function bank(site, chosen, choose) {
  document.getElementById("bank").className = site.power ? "" : "off";
  return site.doors.map((door) => {
    const inside = door.inside.map((one) => `📦 ${one.name}`).join(" ");
    const state = door.open ? "OUVERTE" : "fermée";
    const broken = door.faults.map((one) => `⚠ ${FAULTS[one] ?? one}`).join(" ");
    const made = node("button", {
      type: "button", id: `door-${door.label}`, onclick: () => choose(door.label), ariaPressed: null,
      className: [door.open ? "open" : "", door.label === chosen ? "chosen" : ""].join(" "),
    }, node("b", {}, door.label), ` ${door.size} · ${state}`, node("span", {}, inside), node("span", {}, broken));
    const [top, left, rows, columns] = door.grid;
    made.style.gridArea = `${top} / ${left} / span ${rows} / span ${columns}`;
    return made;
  });
}

export function doorPanel(site, label) {
  const door = site.doors.find((one) => one.label === label);
  const off = { disabled: !site.power };
  const act = (id, text, what, props = off) => button(id, text, { door: label, ...what }, props);
  const row = node("div", { className: "row" }, node("b", {}, `Porte ${label} :`));
  if (door.open) {
    row.append(...hands(site, door, act));
    row.append(act("close", "Fermer la porte", { do: "door", value: "close" }, { ...off, className: "main" }));
  } else {
    row.append("fermée. ", act("force", "Forcer à la main", { do: "door", value: "open" }));
  }
  const faults = node("details", { id: "more-door" }, node("summary", {}, "Pannes de cette porte"),
    node("div", { className: "row" },
      ...Object.entries(FAULTS).map(([fault, text]) => act(`fault-${fault}`, text, { do: "fault", value: fault })),
      act("repair", "réparer", { do: "fault", value: "clear" })));
  return [row, faults];
}

function hands(site, door, act) {
  if (door.inside.length) return [act("take", "Prendre le colis", { do: "take" })];
  const held = new Set(site.doors.flatMap((one) => one.inside.map((each) => each.id)));
  const coming = site.parcels.filter((one) => ["announced", "received"].includes(one.state) && !held.has(one.id));
  return coming.slice(0, 3).map((one) => act(`put-${one.id}`, `Poser le colis de ${one.name}`, { do: "put", parcel: one.id }));
}
