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
let last = "saved";
let leaving = false;

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
      // Outliving the page, a request may hold no more than 64 kB.
      body, keepalive: document.hidden, method: "POST", redirect: "manual", signal: AbortSignal.timeout(PATIENCE),
    });
    if (answer.status === 204) return "saved";
    return answer.status >= 500 ? "unsaved" : "refused";
  } catch {
    return "unsaved";
  }
}

// Saves what it can: where something is refused, the other fields go one by one.
async function store(values) {
  const outcome = await send(values);
  const kept = new Map(outcome === "saved" ? values : []);
  if (outcome === "refused" && values.size > 1) {
    for (const one of values) if ((await send(new Map([one]))) === "saved") kept.set(...one);
  }
  for (const [name, value] of kept) if (form.elements[name].value === value) changed.delete(name);
  return outcome;
}

async function save() {
  clearTimeout(timer);
  while (saving) await saving;
  if (!changed.size) return "saved";
  saving = store(new Map([...changed].map((name) => [name, form.elements[name].value])));
  last = await saving;
  saving = null;
  wait = last === "unsaved" ? Math.min(wait * 2, LONGEST_WAIT) : 1000;
  if (last === "unsaved") timer = setTimeout(save, wait);
  tell(last);
  return last;
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
  if ((await save()) === "unsaved") return;
  leaving = true;
  form.submit();
});

addEventListener("online", save);
document.addEventListener("visibilitychange", () => document.hidden && save());
addEventListener("beforeunload", (event) => {
  if (changed.size && last !== "saved" && !leaving) event.preventDefault();
});
