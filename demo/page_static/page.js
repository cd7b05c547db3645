// Draws the picture that /state gives, and sends what a person does to /act. Texts are set as text, never as markup.
import { bank, doorPanel } from "./page_bank.js";

const LOOK_MS = 500;
const HIDDEN_MS = 5000;
let chosenSite = "";
let chosenDoor = "";
let seenOpen = "";
let doing = ""; // what is being done, as it was sent; empty: nothing
let next = null; // what was asked for meanwhile: one thing, the newest
let picture = null;
const drawn = new Map();

export function node(tag, props = {}, ...inside) {
  const made = Object.assign(document.createElement(tag), props);
  made.append(...inside.filter((one) => one !== null && one !== ""));
  return made;
}

export function button(id, text, act, props = {}) {
  return node("button", { type: "button", id, onclick: () => send(act), ...props }, text);
}

const row = (...inside) => node("div", { className: "row" }, ...inside);
const at = (id) => document.getElementById(id);

// Draws a part anew when what it shows has changed, and keeps the focus and what is unfolded.
function draw(id, facts, make) {
  const text = JSON.stringify(facts);
  if (drawn.get(id) === text) return;
  drawn.set(id, text);
  const part = at(id);
  const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
  const unfolded = [...part.querySelectorAll("details[open]")].map((one) => one.id);
  const values = [...part.querySelectorAll("select")].map((one) => [one.id, one.value]);
  part.replaceChildren(...make());
  for (const one of unfolded) at(one)?.setAttribute("open", "");
  for (const [one, value] of values) if (at(one)) at(one).value = value;
  if (focused) at(focused)?.focus({ preventScroll: true });
}

function say(text, bad = false) {
  at("said").textContent = text;
  at("said").className = bad ? "bad" : "";
}

// A hand is quicker than a site: what it does while something is being done comes next. The same button twice is one press.
async function send(act) {
  const body = JSON.stringify({ site: picture.site.id, ...act });
  if (doing) {
    if (body !== doing) next = act;
    return;
  }
  doing = body;
  show();
  say("Un instant…");
  try {
    const answer = await fetch("/act", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    const heard = await answer.json();
    say(heard.said ?? heard.problem, !answer.ok);
  } catch (_) {
    say("La démonstration ne répond plus. Relancez ./run demo.", true);
  } finally {
    doing = "";
    await look();
  }
  const waiting = next;
  next = null;
  if (waiting) await send(waiting);
}

async function look() {
  try {
    const answer = await fetch(`/state?site=${encodeURIComponent(chosenSite)}`, { cache: "no-store" });
    const fresh = await answer.json();
    if (!answer.ok) { say(fresh.problem, true); return; }
    if (!fresh.ready) return;
    if (!picture) say("Tout marche. Commencez par la visite guidée, ou jouez librement : annoncer, scanner, poser, fermer.");
    picture = fresh;
    show();
  } catch (_) {
    say("La démonstration est arrêtée. Relancez ./run demo.", true);
  }
}

function show() {
  if (!picture) return;
  const { site } = picture;
  const open = site.doors.filter((one) => one.open).map((one) => one.label);
  if (open.join() !== seenOpen) { seenOpen = open.join(); if (open.length) chosenDoor = open[0]; }
  if (!site.doors.some((one) => one.label === chosenDoor)) chosenDoor = site.doors[0].label;
  draw("sites", [picture.sites, site.id], sites);
  draw("ledger", picture.ledger, ledger);
  draw("tour", [picture.tour, Boolean(doing)], tour);
  draw("bank", [site.doors, chosenDoor, site.power], () => bank(site, chosenDoor, choose));
  draw("door", [site.doors, chosenDoor, site.parcels, site.power, Boolean(doing)], () => doorPanel(site, chosenDoor));
  draw("announce", picture.people, announce);
  draw("parcels", [site.parcels, site.power], parcels);
  draw("reader", [site.scanner, site.staff_in, site.power], reader);
  draw("lines", [site.cut, site.waiting, site.power], lines);
  draw("messages", picture.messages, messages);
  frame("kiosk", site.kiosk);
  frame("staff", site.staff);
  frame("hub", site.hub);
}

function choose(label) { chosenDoor = label; show(); }

function frame(name, url, again = false) {
  const inside = document.querySelector(`[data-frame=${name}] iframe`);
  if (inside.dataset.url === url && !again) return;
  const home = name !== "hub" || !again;
  if (home) inside.dataset.url = url;
  inside.src = url;
}

function sites() {
  return picture.sites.map((one) => node("button", {
    type: "button", id: `site-${one.id}`, ariaPressed: String(one.id === picture.site.id),
    onclick: () => { chosenSite = one.id; look(); },
  }, one.name.replace("Conciergerie de ", "")));
}

function ledger() {
  const books = picture.ledger;
  if (!books) return [node("span", { className: "muted" }, "Le compte arrive…")];
  return [
    books.stale ? node("b", {}, "… Le compte d'avant la coupure")
      : node("span", { className: books.balances ? "good" : "bad" }, books.balances ? "✓ Le compte est juste" : "≠ Le compte attend"),
    node("span", {}, `Déposés ${books.parcels_in}`), node("span", {}, `Retirés ${books.collected}`),
    node("span", {}, `Repris ${books.removed}`), node("span", {}, `Dedans ${books.inside}`),
    node("span", {}, `Perdus ou en cours ${books.lost}`), node("span", {}, `Doublés ${books.doubled}`),
    node("span", {}, `Faits : site ${books.facts_site}, serveur ${books.facts_hub}`),
    node("span", {}, books.chains_equal ? "journaux pareils" : "journaux différents"),
    ...books.why.map((one) => node("span", { className: "why" }, one)),
  ];
}

function tour() {
  const { number, of, title, button: text, look: where } = picture.tour;
  const go = text ? button("tour-next", text, { do: "tour", value: "next" }, { className: "main", disabled: Boolean(doing) }) : null;
  const again = number > 1 ? button("tour-again", "Recommencer", { do: "tour", value: "restart" }, { disabled: Boolean(doing) }) : null;
  return [
    node("strong", {}, text ? `Visite guidée : étape ${number} sur ${of}` : "Visite guidée"),
    where ? node("p", { className: "look" }, `👀 ${where}`) : null,
    node("p", {}, title), row(go, again),
  ].filter(Boolean);
}

function announce() {
  const who = node("select", { id: "who" }, ...picture.people.map((one) => node("option", { value: one.name }, `${one.name} (${one.about})`)));
  const size = node("select", { id: "size" }, ...["S", "M", "L"].map((one) => node("option", { value: one }, one)));
  const go = node("button", { type: "button", id: "announce-go", onclick: () => send({ do: "announce", value: who.value, size: size.value }) }, "Annoncer un colis");
  return [row(node("label", { htmlFor: "who" }, "Pour"), who), row(node("label", { htmlFor: "size" }, "Taille"), size, go)];
}

const STATES = {
  announced: "annoncé", received: "reçu", stored: "dans la consigne", collecting: "retrait en cours", collected: "retiré",
  recalled: "à reprendre", removed: "repris", returned: "renvoyé", refused: "refusé", disputed: "contesté", lost: "perdu",
};

function parcels() {
  if (!picture.site.parcels.length) return [node("li", { className: "muted" }, "Aucun colis encore. Annoncez-en un.")];
  const waits = (one) => ["announced", "received"].includes(one.state);
  const off = (isNext) => ({ disabled: !picture.site.power, className: isNext ? "next" : "" });
  return picture.site.parcels.map((one) => node("li", {},
    node("b", {}, one.name), ` · ${STATES[one.state] ?? one.state}${one.place ? ` · ${one.place}` : ""}`,
    row(
      button(`label-${one.id}`, "Scanner l'étiquette", { do: "label", parcel: one.id }, off(waits(one))),
      button(`slip-${one.id}`, "Scanner le bon", { do: "slip", parcel: one.id }, off(one.state === "stored")),
      node("button", { type: "button", id: `see-${one.id}`, onclick: () => frame("hub", `${picture.hub}/parcels/${one.id}`, true) }, "Sa fiche"),
    )));
}

function reader() {
  const { scanner, staff_in: inside, power } = picture.site;
  const off = { disabled: !power || !scanner };
  const cards = [["DONE", "fini"], ["CANCEL", "annuler"], ["BIGGER", "plus grand"], ["EMPTY", "vide"], ["NOT-EMPTY", "pas vide"], ["SHELF", "étagère"]];
  return [
    row(button("badge", "Badge de l'accueil", { do: "badge" }, off), button("card-DONE", "Carte « fini »", { do: "card", value: "DONE" }, off)),
    node("p", { className: "muted" }, inside ? "L'accueil est connecté." : "Personne de l'accueil n'est connecté."),
    node("details", { id: "more-reader" }, node("summary", {}, "Autres cartes et pannes du lecteur"), row(
      ...cards.slice(1).map(([card, text]) => button(`card-${card}`, `Carte « ${text} »`, { do: "card", value: card }, off)),
      button("poster", "QR d'une affiche", { do: "noise", value: "foreign" }, off),
      button("garbage", "Octets illisibles", { do: "noise", value: "garbage" }, off),
      scanner ? button("unplug", "Débrancher le lecteur", { do: "scanner", value: "unplug" }, { disabled: !power })
        : button("plug", "Rebrancher le lecteur", { do: "scanner", value: "plug" }, { disabled: !power }))),
  ];
}

function lines() {
  const { cut, waiting, power } = picture.site;
  const facts = waiting === null ? "on ne sait pas combien de faits attendent" : waiting ? `${waiting} faits attendent sur le site` : "aucun fait n'attend";
  return [
    row(cut ? button("restore", "Rétablir le réseau", { do: "network", value: "restore" }, { className: "main" })
      : button("cut", "Couper le réseau", { do: "network", value: "cut" }),
    power ? button("kill", "Couper le courant (kill -9)", { do: "power", value: "kill" })
      : button("power", "Redémarrer le site", { do: "power", value: "start" }, { className: "main" })),
    node("p", { id: "waiting" }, `Réseau ${cut ? "coupé" : "en marche"} : ${facts}.`),
  ];
}

function messages() {
  if (!picture.messages.length) return [node("li", {}, "Aucun message encore. Un message part quand un colis est déposé.")];
  const who = (to) => picture.people.find((one) => to.replace(/^\+33/, "0") === one.phone)?.name ?? to;
  return picture.messages.map((one) => node("li", {},
    node("b", {}, who(one.to)), ` · ${one.at}`, node("p", { lang: one.language, dir: "auto" }, one.text),
    one.kind === "collected" ? null : row(
      button(`scan-${one.id}`, "Scanner ce bon", { do: "slip", parcel: one.parcel, site: one.site }),
      node("button", { type: "button", id: `show-${one.id}`, onclick: () => frame("hub", `${picture.hub}/parcels/${one.parcel}/slip`, true) }, "Voir le bon à imprimer"))));
}

for (const screen of document.querySelectorAll(".screen")) {
  const enlarge = node("button", { type: "button", ariaPressed: "false", onclick: () => {
    const large = screen.classList.toggle("large");
    enlarge.ariaPressed = String(large);
    enlarge.textContent = large ? "Réduire" : "Agrandir";
  } }, "Agrandir");
  const home = screen.dataset.frame === "hub"
    ? node("button", { type: "button", onclick: () => frame("hub", picture.site.hub, true) }, "Le site") : "";
  screen.querySelector(".bar").append(node("span", {}, home, " ", enlarge));
}

async function forEver() {
  if (!doing) await look();
  setTimeout(forEver, document.hidden ? HIDDEN_MS : LOOK_MS);
}
forEver();
