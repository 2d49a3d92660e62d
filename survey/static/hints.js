// Says, while somebody writes a comment, what in it may show who wrote it. Nothing leaves the page.

const form = document.querySelector("form[data-hints]");
const { hints, own, leader, months, weekdays, first_person: firstPerson, names } = JSON.parse(form.dataset.hints);
const PAUSE = 700;
const NUMBERS = /(?<![\d.])(?:\d{4}-\d{1,2}-\d{1,2}|\d{1,2}[./]\d{1,2}[./](?:\d{4}|\d{2})?)(?!\d)/u;
// A capital in the middle of a sentence; a word all in capitals is an abbreviation.
const CAPITALISED = /(?<=[\p{Ll}\p{N},;:] )(?!I\b)\p{Lu}\p{Ll}+/gu;

function words(list, flags) {
  const escaped = list.filter(Boolean).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return escaped.length ? new RegExp(`(?<![\\p{L}\\p{N}])(?:${escaped.join("|")})(?![\\p{L}\\p{N}])`, flags) : /(?!)/u;
}

const OWN = words(own, "iu");
const DAYS = words([...months, ...weekdays], "u");
const FIRST_PERSON = words(firstPerson, "iu");
const KNOWN = new Set([...leader, ...months, ...weekdays]);

function named(text) {
  const other = names ? [...text.matchAll(CAPITALISED)].map(([word]) => word).find((word) => !KNOWN.has(word)) : "";
  return text.match(OWN)?.[0] ?? other;
}

function advice(text) {
  const found = {
    name: named(text),
    day: (text.match(DAYS) ?? text.match(NUMBERS))?.[0],
    first_person: text.match(FIRST_PERSON)?.[0],
  };
  return Object.entries(found).filter(([, word]) => word).map(([kind, word]) => hints[kind].replace("{word}", word));
}

for (const field of form.querySelectorAll("textarea")) {
  const box = document.createElement("ul");
  box.className = "advice";
  box.setAttribute("aria-live", "polite");
  field.after(box);
  let timer = 0;
  const look = () => {
    const said = advice(field.value);
    if (said.join() === [...box.children].map((line) => line.textContent).join()) return;
    box.replaceChildren(...said.map((sentence) => Object.assign(document.createElement("li"), { textContent: sentence })));
  };
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE);
  });
  look();
}
