// The staff screen in the browser: swaps the fragment the server sends and keeps what a person was doing in it.
// Every press becomes one small POST; a double tap is one tap; what cannot be undone is asked twice.

const DOUBLE_TAP_MS = 400;
const SURE_MS = 5000;
const LOST_MS = 2000;
const SEEK_MS = 400;
const SEEK_CHARACTERS = 2;
const screen = document.getElementById("screen");
const live = document.getElementById("live");
const by = (id) => document.getElementById(id);

let selected = "";
let echoed = null;
let assisting = null;
let lastPress = { id: "", at: 0 };
let countdownEnds = 0;
let lostTimer = 0;
let saying = "";
let sayTimer = 0;
let voice = null;
let seekTimer = 0;

function show(html) {
  const focused = document.activeElement?.id;
  const before = by("todo")?.textContent;
  const goneBefore = by("gone-title")?.textContent;
  const scroll = document.querySelector(".list")?.scrollTop ?? 0;
  const kept = Object.fromEntries([...document.querySelectorAll("input")].map((input) => [input.id, input.type === "radio" ? input.checked : input.value]));
  const unfolded = [...document.querySelectorAll("details[open]")].map((part) => part.id);
  screen.innerHTML = html;
  for (const id of unfolded) by(id)?.setAttribute("open", "");
  for (const input of document.querySelectorAll("input")) if (kept[input.id]) input.type === "radio" ? (input.checked = true) : (input.value = kept[input.id]);
  if (document.querySelector(".list")) document.querySelector(".list").scrollTop = scroll;
  const todo = by("todo")?.textContent ?? document.querySelector("h1").textContent;
  if (todo !== before) live.textContent = [todo, by("notice")?.textContent].filter(Boolean).join(" ");
  const gone = by("gone-title")?.textContent;
  if (gone && gone !== goneBefore) live.textContent = gone;
  const seconds = document.querySelector("[data-seconds]");
  countdownEnds = seconds ? performance.now() + 1000 * Number(seconds.dataset.seconds) : 0;
  draw();
  say();
  if (by("pin") && !focused) by("pin").focus();
  if (focused) by(focused)?.focus({ preventScroll: true }); // After drawing: what is hidden cannot be focused.
}

// Said aloud when it begins to be true, and again for as long as it is: only what somebody must do before they go.
function say() {
  const address = document.querySelector("[data-say]")?.dataset.say ?? "";
  if (address === saying) return;
  saying = address;
  clearInterval(sayTimer);
  voice?.pause();
  if (!address) return;
  const speak = () => {
    voice = new Audio(address);
    voice.play().catch(() => {}); // No voice or no sound card: the screen says it all.
  };
  speak();
  sayTimer = setInterval(speak, 1000 * Number(document.querySelector("[data-say]").dataset.nag));
}

function draw() {
  const wanted = by(`door-${selected}`) ? selected : "";
  for (const part of document.querySelectorAll("[data-for]")) part.hidden = part.dataset.for !== wanted;
  for (const door of document.querySelectorAll("[data-door]")) door.classList.toggle("selected", door.dataset.door === wanted);
  const find = (by("find")?.value ?? "").trim().toLowerCase().replace(/\s+/g, "");
  for (const row of document.querySelectorAll("[data-find]")) {
    row.hidden = find !== "" && !row.dataset.find.toLowerCase().replace(/\s+/g, "").includes(find);
  }
  if (by("assist")) {
    by("assist").hidden = assisting === null;
    by("assist-named").textContent = assisting?.named ?? "";
  }
  if (by("label-echo")) {
    by("label-echo").hidden = echoed === null;
    by("label-form").hidden = echoed !== null;
    if (echoed) {
      by("label-shown").textContent = echoed.shown;
      by("label-warning").textContent = echoed.warning;
      by("label-warning").hidden = echoed.warning === "";
    }
  }
}

async function post(message) {
  try {
    const answer = await fetch("/staff/input", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(message),
    });
    if (!answer.ok) live.textContent = await answer.text();
    return answer.ok;
  } catch {
    live.textContent = "La machine redémarre. Attendez un instant.";
    return false;
  }
}

async function print(button) {
  const answer = await fetch(button.dataset.print, { method: "POST" }).catch(() => null);
  button.textContent = live.textContent = answer ? (await answer.json()).said : "La machine redémarre. Attendez un instant.";
}

function isDoubleTap(id) {
  const now = performance.now();
  const double = lastPress.id === id && now - lastPress.at < DOUBLE_TAP_MS;
  lastPress = { id, at: now };
  return double;
}

function isSure(button) {
  if (!button.dataset.sure || button.dataset.asked) return true;
  button.dataset.asked = "1";
  const words = button.textContent;
  const label = button.getAttribute("aria-label");
  button.textContent = button.dataset.sure;
  button.removeAttribute("aria-label");
  setTimeout(() => {
    button.textContent = words;
    if (label) button.setAttribute("aria-label", label);
    delete button.dataset.asked;
  }, SURE_MS);
  return false;
}

screen.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const data = button.dataset;
  if (data.pin) {
    const typed = by("pin").value;
    by("pin").value = data.pin === "back" ? typed.slice(0, -1) : (typed + data.pin).slice(0, by("pin").maxLength);
  } else if (data.assist) {
    assisting = { parcel: data.assist, named: data.named };
    by("assist").reset();
    draw();
    by("assist").querySelector("input").focus();
  } else if (button.id === "assist-no") {
    assisting = null;
    draw();
  } else if (data.door) {
    selected = selected === data.door ? "" : data.door;
    draw();
  } else if (data.press) {
    if (isDoubleTap(button.id) || !isSure(button)) return;
    const message = { input: "press", button: data.press };
    for (const part of ["value", "compartment", "parcel"]) if (data[part]) message[part] = data[part];
    post(message);
  } else if (data.print) {
    if (!isDoubleTap(button.id)) print(button);
  } else if (button.id === "label-yes" && echoed && !isDoubleTap(button.id)) {
    const text = echoed.number;
    echoed = null;
    by("label").value = "";
    draw();
    post({ input: "scan", text });
  } else if (button.id === "label-no") {
    echoed = null;
    draw();
    by("label").focus();
  }
});

screen.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (event.target.id === "assist") {
    const { motive, identity, present } = Object.fromEntries(new FormData(event.target));
    const { parcel } = assisting;
    const forAnother = event.submitter?.id === "mandate-yes"; // Only who asks matters: nobody is helped, nobody need be there.
    if (forAnother && !identity) return void event.target.querySelector("[name=identity]").focus();
    assisting = null;
    draw();
    if (forAnother) return void post({ input: "press", button: "mandate", parcel, value: identity });
    if (event.submitter?.id === "reissue-yes") {
      post({ input: "press", button: "reissue", parcel, value: `${motive}/${identity}` });
      return;
    }
    post({ input: "assist", parcel, motive, identity, present: present === "yes" });
    return;
  }
  if (event.target.id === "pin-form") {
    const text = by("pin").value;
    by("pin").value = "";
    if (text) post({ input: "pin", text });
    return;
  }
  const answer = await fetch(`/staff/echo?text=${encodeURIComponent(by("label").value)}`).catch(() => null);
  const understood = answer?.ok ? await answer.json() : {};
  echoed = understood.number ? understood : null;
  draw();
  by("label-bad").hidden = echoed !== null;
  if (echoed) by("label-yes").focus();
});

// The list here is filtered at once; what has left is looked for by the lock process, when the fingers rest.
function seek() {
  clearTimeout(seekTimer);
  const text = by("find").value.trim();
  if (text.length < SEEK_CHARACTERS && !by("gone-title")) return;
  seekTimer = setTimeout(() => post({ input: "find", text: text.length < SEEK_CHARACTERS ? "" : text }), SEEK_MS);
}

screen.addEventListener("input", (event) => {
  if (event.target.id === "find") {
    draw();
    seek();
  }
  if (event.target.id === "label") by("label-bad").hidden = true;
});

setInterval(() => {
  const seconds = document.querySelector("[data-seconds]");
  if (!seconds || !countdownEnds) return;
  const words = String(Math.max(0, Math.ceil((countdownEnds - performance.now()) / 1000)));
  if (seconds.textContent !== words) seconds.textContent = words;
}, 250);

const stream = new EventSource("/stream/staff");
stream.addEventListener("show", (event) => show(JSON.parse(event.data).html));
stream.addEventListener("open", () => {
  clearTimeout(lostTimer);
  lostTimer = 0;
});
stream.addEventListener("error", () => {
  lostTimer ||= setTimeout(() => {
    show(by("away").innerHTML);
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), LOST_MS);
  }, LOST_MS);
});
