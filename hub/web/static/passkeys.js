// Asks the browser for a passkey. A form marked `data-passkey` is shown where the browser knows passkeys; when it is sent, the hub says
// what to ask, the device answers, and the form brings the answer back. Without this module there are passwords and codes.

const ASK_MS = 8000;
const SAID = {
  NotAllowedError: "Rien n'a été fait : la demande a été annulée, ou a pris trop de temps. Recommencez quand vous voulez.",
  InvalidStateError: "Cet appareil a déjà une clé d'accès pour votre compte.",
  ConstraintError: "Cet appareil ne demande ni doigt, ni visage, ni code. Prenez-en un autre.",
  NotSupportedError: "Cet appareil ne peut pas faire de clé d'accès pour ce hub. Prenez-en un autre.",
};
const LOST = "Le serveur ne répond pas. Vérifiez la connexion, puis recommencez.";

function bytes(text) {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

// Browsers take and give bytes, the hub speaks base64url. (Newer ones could translate by themselves; many in use are older.)
function options(asked) {
  const named = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));
  const all = { ...asked, challenge: bytes(asked.challenge) };
  if (asked.user) all.user = { ...asked.user, id: bytes(asked.user.id) };
  if (asked.excludeCredentials) all.excludeCredentials = named(asked.excludeCredentials);
  if (asked.allowCredentials) all.allowCredentials = named(asked.allowCredentials);
  return all;
}

function answer(credential) {
  const response = {};
  for (const part of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (credential.response[part]) response[part] = text(credential.response[part]);
  }
  return JSON.stringify({ id: credential.id, rawId: text(credential.rawId), type: credential.type, response });
}

async function ask(form) {
  const reply = await fetch(`${form.getAttribute("action")}/challenge`, { method: "POST", signal: AbortSignal.timeout(ASK_MS) });
  const asked = await reply.json();
  if (!reply.ok) throw new Error(asked.problem || LOST);
  const publicKey = options(asked.publicKey);
  const credential = await navigator.credentials[form.dataset.passkey]({ publicKey });
  form.elements.sealed.value = asked.sealed;
  form.elements.answer.value = answer(credential);
  form.submit();
}

async function send(event) {
  event.preventDefault();
  const form = event.target;
  const button = form.querySelector("button");
  button.disabled = true;
  say(form, "");
  try {
    await ask(form);
  } catch (error) {
    button.disabled = false;
    const lost = error instanceof TypeError || error instanceof SyntaxError || error.name === "TimeoutError";
    say(form, SAID[error.name] || (lost ? LOST : error.message));
  }
}

function say(form, problem) {
  const place = form.querySelector(".error");
  place.textContent = problem;
  place.hidden = !problem;
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (location.origin !== form.dataset.at) {
    if (form.getAttribute("action").startsWith("/sign-in")) continue; // there are other ways in
    form.querySelectorAll("div, button").forEach((part) => { part.hidden = true; });
    say(form, `Les clés d'accès marchent à l'adresse ${form.dataset.at}`);
    form.hidden = false;
  } else if (window.PublicKeyCredential) {
    form.addEventListener("submit", send);
    form.hidden = false;
  }
}
