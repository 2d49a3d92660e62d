// Saves a page of the form by itself. Without this script each "Save and continue" saves.

const form = document.querySelector("form[data-draft]");
const says = form.querySelector("[data-says]");
const AFTER_TYPING = 1200;
const LONGEST_WAIT = 30_000;
const PATIENCE = 15_000;

// The names of fields that changed and are not saved yet.
const changed = new Set();
let timer = 0;
let wait = 1000;
let saving = null;

function tell(name) {
  says.textContent = name ? says.dataset[name] : "";
  says.classList.toggle("wrong", name === "unsaved" || name === "refused");
}

// Only what changed is sent, so that a page left open elsewhere puts nothing back.
async function send(values) {
  const body = new URLSearchParams(values);
  body.set("csrf_token", form.elements.csrf_token.value);
  body.set("filled", [...values.keys()].join(" "));
  try {
    const answer = await fetch(form.dataset.draft, {
      body, keepalive: true, method: "POST", redirect: "manual", signal: AbortSignal.timeout(PATIENCE),
    });
    if (answer.status === 204) return "saved";
    return answer.status >= 500 ? "unsaved" : "refused";
  } catch {
    return "unsaved";
  }
}

async function save() {
  clearTimeout(timer);
  while (saving) await saving;
  if (!changed.size) return "saved";
  const values = new Map([...changed].map((name) => [name, form.elements[name].value]));
  saving = send(values);
  const outcome = await saving;
  saving = null;
  if (outcome === "saved") {
    wait = 1000;
    for (const [name, value] of values) if (form.elements[name].value === value) changed.delete(name);
  } else if (outcome === "unsaved") {
    wait = Math.min(wait * 2, LONGEST_WAIT);
    timer = setTimeout(save, wait);
  }
  tell(outcome);
  return outcome;
}

form.addEventListener("input", ({ target }) => {
  changed.add(target.name);
  // A field that was filled here may also be emptied here.
  const { filled } = form.elements;
  if (filled && !filled.value.split(" ").includes(target.name)) filled.value += ` ${target.name}`;
  tell("");
  clearTimeout(timer);
  timer = setTimeout(save, target.type === "radio" ? 0 : AFTER_TYPING);
});

form.addEventListener("submit", async (event) => {
  if (!changed.size && !saving) return;
  event.preventDefault();
  // What the server refuses is sent all the same: its page says why, with everything typed on it.
  if ((await save()) !== "unsaved") form.submit();
});

addEventListener("online", save);
document.addEventListener("visibilitychange", () => document.hidden && save());
addEventListener("beforeunload", (event) => {
  if (changed.size && wait > 1000) event.preventDefault();
});
