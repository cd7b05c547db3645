// Keeps a page up to date. On each event of the hub the page is fetched again and its parts marked `data-live` are
// swapped by id; ages count up between two events. Without this module a page is as true as its last reload.

const QUIET_MS = 100; // events that come together make one fetch
const RETRY_MS = 3000;
const FETCH_MS = 8000;

const source = document.body.dataset.events;
const only = document.body.dataset.site;
const status = document.getElementById("live-status");
const announcer = document.getElementById("announcer");
const serverAhead = Number(document.body.dataset.now) - Date.now();

let fetching = false;
let again = false;
let timer = 0;

function say(online) {
  if (!status) return;
  const shown = online ? "on" : "off";
  if (status.dataset.shown === shown) return;
  status.dataset.shown = shown;
  const icon = online ? "online" : "offline";
  const text = online ? "En direct" : "Connexion perdue : cette page ne change plus. Nouvel essai…";
  status.className = online ? "live word good" : "live word bad";
  status.innerHTML = `<svg class="icon" aria-hidden="true"><use href="/static/icons.svg#${icon}"></use></svg>`;
  status.append(text);
}

function soon() {
  if (timer) return;
  timer = setTimeout(() => { timer = 0; refresh(); }, QUIET_MS);
}

async function refresh() {
  if (fetching) { again = true; return; }
  fetching = true;
  try {
    const answer = await fetch(location.href, {
      headers: { Accept: "text/html" }, cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(FETCH_MS),
    });
    if (answer.type === "opaqueredirect" || answer.status === 401) { location.reload(); return; }
    if (!answer.ok) throw new Error(String(answer.status));
    swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch (_) {
    setTimeout(soon, RETRY_MS); // the stream may have survived what the fetch did not
  } finally {
    fetching = false;
    if (again) { again = false; soon(); }
  }
}

// What a part says, without its ages: with them every part would differ at every look.
function essence(part) {
  const copy = part.cloneNode(true);
  copy.querySelectorAll("time[data-age]").forEach((time) => { time.textContent = ""; });
  copy.querySelectorAll(".changed").forEach((old) => { old.classList.remove("changed"); });
  return copy.innerHTML;
}

function swap(fresh) {
  const news = [];
  for (const part of document.querySelectorAll("[data-live]")) {
    const next = fresh.getElementById(part.id);
    if (!next) continue;
    if (essence(part) === essence(next)) { retime(part, next); continue; }
    const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
    mark(part, next);
    part.replaceChildren(...next.childNodes);
    for (const name of next.getAttributeNames()) part.setAttribute(name, next.getAttribute(name));
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    if (next.dataset.say) news.push(next.dataset.say);
  }
  if (news.length && announcer) announcer.textContent = news.join(" ");
  if (fresh.title) document.title = fresh.title;
  tick();
}

// The moment of an age may have moved although nothing else did: a site was heard again.
function retime(part, next) {
  const old = part.querySelectorAll("time[data-age]");
  next.querySelectorAll("time[data-age]").forEach((time, place) => {
    if (old[place]) old[place].dataset.age = time.dataset.age;
  });
}

// Children with an id that differ are marked, so that an eye finds what moved.
function mark(part, next) {
  for (const child of next.querySelectorAll("[id]")) {
    const old = document.getElementById(child.id);
    if (!old || !part.contains(old) || essence(old) !== essence(child)) child.classList.add("changed");
  }
}

function age(passed) {
  if (passed < 1000) return "à l'instant";
  for (const [unit, name, most] of [[1000, "s", 60000], [60000, "min", 3600000], [3600000, "h", 86400000]]) {
    if (passed < most) return `il y a ${Math.floor(passed / unit)}\u00a0${name}`;
  }
  const days = Math.floor(passed / 86400000);
  return `il y a ${days}\u00a0jour${days > 1 ? "s" : ""}`;
}

function tick() {
  const now = Date.now() + serverAhead;
  for (const time of document.querySelectorAll("time[data-age]")) {
    const text = age(now - Number(time.dataset.age));
    if (time.textContent !== text) time.textContent = text;
  }
}

// A page about one site sleeps through what happens at the others; alerts and doors from afar are counted in every header.
function concerns(event) {
  if (!only || event.type === "alert" || event.type === "opening" || !event.data) return true;
  try {
    return JSON.parse(event.data).site === only;
  } catch (_) {
    return true;
  }
}

if (source) {
  const stream = new EventSource(source);
  stream.addEventListener("open", () => { say(true); soon(); });
  for (const topic of ["site", "parcel", "alert", "message", "opening", "reset"]) {
    stream.addEventListener(topic, (event) => { if (concerns(event)) soon(); });
  }
  stream.addEventListener("error", () => say(false));
}
setInterval(tick, 1000);
