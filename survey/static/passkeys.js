// Asks the browser for a passkey, new or known, and sends on what it says. Without scripts, or
// where the browser has no passkeys, what needs one stays hidden.

const able = window.PublicKeyCredential?.parseRequestOptionsFromJSON;

async function ask(form) {
  const answer = await fetch(form.dataset.options, { method: "POST", body: new FormData(form) });
  if (!answer.ok) throw new Error("no options");
  const told = await answer.json();
  if (form.dataset.passkey === "create") {
    return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(told) });
  }
  return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(told) });
}

async function go(form) {
  const button = form.querySelector("button");
  const failed = form.querySelector("[role=alert]");
  button.disabled = true;
  failed.hidden = true;
  try {
    const credential = await ask(form);
    form.elements.credential.value = JSON.stringify(credential.toJSON());
    form.submit();
  } catch {
    failed.hidden = false;
    button.disabled = false;
  }
}

if (able) {
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      go(form);
    });
  }
  for (const each of document.querySelectorAll("[data-without-passkeys]")) each.hidden = true;
}
