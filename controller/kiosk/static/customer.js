// The customer screen in the browser: swaps the fragment the server sends, plays tones and voice, keeps what is typed.
// Owns nothing of the site's state. Every touch becomes one small POST; a double tap is one tap.

const DIGITS = 12;
const IDLE_S = 60;
const WARNING_S = 20;
const DOUBLE_TAP_MS = 400;
const LOST_MS = 2000;
const TOUCH_MS = 2000;
const GREET_MS = 20000;
const FLASH_MS = 3000;
const FIT_LEAST = 0.6;

const screen = document.getElementById("screen");
const live = document.getElementById("live");
let shown = JSON.parse(document.body.dataset.shown);
let typed = "";
let keypadOpen = false;
let problemOpen = false;
let languagesOpen = false;
let touchedAt = performance.now();
let waitUntil = 0;
let waitWhole = 1;
let lastPress = { what: "", at: 0 };
let audio;
let speaking;
let againTimer = 0;
let sending = false;
let lostTimer = 0;
let saidAt = -GREET_MS;
let flashTimer = 0;
let chosen = document.body.dataset.chosen;
let touchTold = { busy: null, at: 0 };

const by = (id) => document.getElementById(id);

// ------------------------------------------------------------------- what one person sets for one visit, and no longer

const VOLUMES = [0.5, 1, 0.2];

function settings() {
  return JSON.parse(sessionStorage.getItem("visit") ?? "{}");
}

function applySettings() {
  const { contrast = false, bigger = false } = settings();
  document.documentElement.classList.toggle("contrast", contrast);
  document.documentElement.classList.toggle("bigger", bigger);
  for (const [id, on] of [["contrast", contrast], ["bigger", bigger]]) by(id)?.setAttribute("aria-pressed", String(on));
  fit();
}

function changeSetting(name) {
  const now = settings();
  now[name] = name === "volume" ? ((now.volume ?? 0) + 1) % VOLUMES.length : !now[name];
  sessionStorage.setItem("visit", JSON.stringify(now));
  applySettings();
  if (name !== "volume") return;
  play("key");
  say(shown.say);
}

// The next person gets nothing of what this one set: the slip in their hand says how to speak with them. Whether the same screen
// comes again, in their language.
function endVisit() {
  sessionStorage.clear();
  applySettings();
  if (!chosen) return false;
  chosen = "";
  shown = { ...shown, screen: "", over: false };
  history.replaceState(null, "", "/");
  follow();
  return true;
}

function loudness() {
  return VOLUMES[settings().volume ?? 0];
}

// ------------------------------------------------------------------------------------------------ tones and voice

const TONES = {
  ok: [[660, 0, 0.12], [880, 0.14, 0.18]],
  done: [[880, 0, 0.12], [1100, 0.14, 0.12], [1320, 0.28, 0.2]],
  attention: [[520, 0, 0.16], [520, 0.24, 0.16]],
  tick: [[1200, 0, 0.04]],
  key: [[1000, 0, 0.03]],
};

function play(name) {
  if (!TONES[name]) return;
  try {
    audio ??= new AudioContext();
    if (audio.state === "suspended") audio.resume();
    for (const [hertz, from, long] of TONES[name]) {
      const tone = audio.createOscillator();
      const volume = audio.createGain();
      tone.frequency.value = hertz;
      volume.gain.setValueAtTime(0.0001, audio.currentTime + from);
      volume.gain.exponentialRampToValueAtTime(0.6 * loudness(), audio.currentTime + from + 0.01);
      volume.gain.exponentialRampToValueAtTime(0.0001, audio.currentTime + from + long);
      tone.connect(volume).connect(audio.destination);
      tone.start(audio.currentTime + from);
      tone.stop(audio.currentTime + from + long);
    }
  } catch {
    // No sound card: the screen says it all.
  }
}

function say(addresses) {
  speaking?.pause();
  saidAt = performance.now();
  const [first, ...rest] = addresses;
  if (!first) return;
  speaking = new Audio(first);
  speaking.volume = loudness();
  const said = speaking;
  for (const over of ["ended", "error"]) said.addEventListener(over, () => said === speaking && say(rest), { once: true });
  speaking.play().catch(() => {}); // No voice for this language, or no sound card.
}

// -------------------------------------------------------------------------------------------------------- showing

function show(next) {
  const changed = next.screen !== shown.screen;
  if (changed && shown.over && endVisit()) return;
  const focused = document.activeElement?.id;
  shown = next;
  document.documentElement.lang = next.language;
  document.documentElement.dir = next.direction;
  screen.innerHTML = next.html;
  if (changed) problemOpen = languagesOpen = false;
  waitUntil = performance.now() + next.wait_ms;
  waitWhole = changed || next.wait_ms > waitWhole ? Math.max(1, next.wait_ms) : waitWhole;
  if (changed) announce();
  if (!next.keypad) {
    keypadOpen = false;
    typed = "";
  } else if (changed && next.screen.includes("check_digits")) {
    keypadOpen = false;
  }
  draw();
  if (focused) by(focused)?.focus({ preventScroll: true });
}

function announce() {
  touchedAt = performance.now();
  live.textContent = shown.live;
  play(shown.tone);
  flash();
  if (shown.tone) say(shown.say);
  clearInterval(againTimer);
  if (shown.again_s) {
    againTimer = setInterval(() => {
      play("attention");
      flash();
      say(shown.say);
    }, shown.again_s * 1000);
  }
}

// For somebody who hears nothing: the whole edge of the screen, three times, no faster than once a second.
function flash() {
  const edge = document.documentElement.classList;
  edge.remove("flash");
  clearTimeout(flashTimer);
  if (!shown.flash) return;
  void document.documentElement.offsetWidth; // Begin anew.
  edge.add("flash");
  flashTimer = setTimeout(() => edge.remove("flash"), FLASH_MS);
}

function draw() {
  const pad = by("keypad");
  if (pad) {
    pad.hidden = !keypadOpen;
    by("message").hidden = keypadOpen;
    const groups = by("digits").children;
    for (let n = 0; n < 3; n += 1) groups[n].textContent = typed.slice(4 * n, 4 * n + 4).padEnd(4, "·");
    by("key-send").disabled = typed.length !== DIGITS || sending;
    by("key-delete").disabled = typed.length === 0;
  }
  const problem = by("problem");
  if (problem) {
    problem.hidden = !problemOpen;
    by("message").hidden = problemOpen;
    by("open-problem").hidden = problemOpen;
  }
  const chooser = by("languages");
  if (chooser) {
    chooser.hidden = !languagesOpen;
    if (languagesOpen) for (const id of ["keypad", "problem", "message"]) if (by(id)) by(id).hidden = true;
  }
  applySettings();
  drawWait();
}

// A long sentence gets smaller letters and pictures, never a line over the keys: languages differ, and so do bank and desk names.
function fit() {
  const message = by("message");
  const telling = message?.querySelector(".telling");
  if (!telling) return;
  const room = message.parentElement;
  for (let share = 1; share >= FIT_LEAST; share -= 0.05) {
    message.style.setProperty("--fit", share.toFixed(2));
    if (telling.offsetHeight <= room.clientHeight) return;
  }
}

function drawWait() {
  const left = Math.max(0, waitUntil - performance.now());
  const seconds = Math.ceil(left / 1000);
  const words = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  for (const node of document.querySelectorAll("[data-left]")) if (node.textContent !== words) node.textContent = words;
  for (const id of ["bar", "keypad-bar"]) if (by(id)) by(id).style.inlineSize = `${(100 * left) / waitWhole}%`;
  if (by("keypad-wait")) by("keypad-wait").hidden = left === 0;
}

// -------------------------------------------------------------------------------------------------------- sending

async function post(message) {
  try {
    const answer = await fetch("/input", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(message),
    });
    return answer.ok;
  } catch {
    return false;
  }
}

function isDoubleTap(what) {
  const now = performance.now();
  const double = lastPress.what === what && now - lastPress.at < DOUBLE_TAP_MS;
  lastPress = { what, at: now };
  return double;
}

// Somebody is there: after a while without a code the site shows how to hold the slip. Who types or chooses holds none.
function tellTouch() {
  if (shown.serving) return;
  const busy = keypadOpen || languagesOpen || problemOpen;
  if (!busy && !shown.tone && performance.now() - saidAt > GREET_MS) say(shown.say);
  const now = performance.now();
  if (busy === touchTold.busy && now - touchTold.at < TOUCH_MS) return;
  touchTold = { busy, at: now };
  post({ input: "touch", busy });
}

async function sendDigits() {
  if (typed.length !== DIGITS || sending) return;
  sending = true;
  draw();
  const text = typed;
  const taken = await post({ input: "digits", text });
  sending = false;
  if (taken && typed === text && !shown.screen.includes("check_digits")) keypadOpen = false;
  draw();
}

function pressKeypad(what) {
  if (what === "open") {
    keypadOpen = true;
  } else if (what === "close") {
    keypadOpen = false;
    typed = "";
  } else if (what === "delete") {
    typed = typed.slice(0, -1);
  } else if (what === "send") {
    sendDigits();
  }
  draw();
  if (what === "open") by("key-5")?.focus();
}

function typeDigit(digit) {
  if (!shown.keypad) return;
  keypadOpen = true;
  if (typed.length < DIGITS) typed += digit;
  play("key");
  draw();
}

function openProblem(open) {
  problemOpen = open;
  draw();
  by(open ? "problem-found_empty" : "open-problem")?.focus();
}

function openLanguages(open) {
  languagesOpen = open;
  if (open) keypadOpen = problemOpen = false;
  if (!open && by("message")) by("message").hidden = false;
  draw();
  if (open) document.querySelector(".languages a[aria-current]")?.focus();
  else by("open-languages")?.focus();
}

screen.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || button.disabled) return;
  const data = button.dataset;
  if (data.digit) typeDigit(data.digit);
  else if (data.keypad) pressKeypad(data.keypad);
  else if (data.problem) openProblem(data.problem === "open");
  else if (data.panel) openLanguages(!languagesOpen);
  else if (data.setting) changeSetting(data.setting);
  else if ("repeat" in data) say(shown.say);
  else if (data.press && !isDoubleTap(data.press)) {
    const { press: button, value, parcel, compartment } = data;
    post({ input: "press", button, ...(value && { value }), ...(parcel && { parcel }), ...(compartment && { compartment }) });
    if (compartment) openProblem(false);
  }
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || !shown.keypad) return;
  if (/^[0-9]$/.test(event.key)) typeDigit(event.key);
  else if (event.key === "Backspace" && keypadOpen) pressKeypad("delete");
  else if (event.key === "Escape" && keypadOpen) pressKeypad("close");
  else if (event.key === "Enter" && keypadOpen && typed.length === DIGITS) {
    event.preventDefault();
    sendDigits();
  }
});

// ----------------------------------------------------------------------------------------------------------- idle

function isAway() {
  return keypadOpen || languagesOpen || sessionStorage.getItem("visit") !== null || typed !== "" || chosen !== "" || !by("idle").hidden;
}

function watchIdle() {
  drawWait();
  const box = by("idle");
  if (!box) return;
  const idle = (performance.now() - touchedAt) / 1000;
  if (shown.serving || !isAway() || idle < IDLE_S - WARNING_S) {
    box.hidden = true;
    return;
  }
  if (idle >= IDLE_S) {
    sessionStorage.clear();
    location.assign("/");
    return;
  }
  const left = String(Math.ceil(IDLE_S - idle));
  if (by("idle-left").textContent !== left || box.hidden) play("tick");
  by("idle-left").textContent = left;
  if (box.hidden) {
    box.hidden = false;
    by("stay").focus();
    say([`/voice/${shown.voice}/idle`]);
  }
}

for (const kind of ["pointerdown", "keydown"]) {
  document.addEventListener(kind, () => {
    touchedAt = performance.now();
    setTimeout(tellTouch, 300); // After the click that follows, which may open a keypad.
    const box = by("idle");
    if (box && !box.hidden) setTimeout(() => { box.hidden = true; }, 300);
  }, true);
}
setInterval(watchIdle, 250);

// --------------------------------------------------------------------------------------------------------- stream

let stream;

function follow() {
  stream?.close();
  stream = new EventSource(`/stream/customer?language=${encodeURIComponent(chosen)}`);
  stream.addEventListener("show", (event) => show(JSON.parse(event.data)));
  stream.addEventListener("open", () => {
    clearTimeout(lostTimer);
    lostTimer = 0;
  });
  stream.addEventListener("error", lost);
}

function lost() {
  // The kiosk program itself restarts: what is on the screen may be old, so no door is claimed any longer.
  lostTimer ||= setTimeout(() => {
    screen.innerHTML = by("away").innerHTML;
    shown = { ...shown, screen: "lost", say: [], tone: "", again_s: 0, serving: true, keypad: false, flash: false, over: false };
    clearInterval(againTimer);
    keypadOpen = false;
    typed = "";
    if (stream.readyState === EventSource.CLOSED) setTimeout(() => location.assign("/"), LOST_MS);
  }, LOST_MS);
}

addEventListener("resize", fit);
follow();
if (shown.wait_ms) waitWhole = shown.wait_ms;
waitUntil = performance.now() + shown.wait_ms;
announce();
draw();
if (chosen) tellTouch(); // Who has just chosen a language stands there.
