// Brings what goes on up to date, for as long as the page says that something does.

const SECONDS = 2;

// What somebody has typed meanwhile must not be lost.
function typed() {
  const fields = [...document.querySelectorAll("input, textarea")];
  return fields.some((field) => field.value !== field.defaultValue);
}

async function look() {
  try {
    const answer = await fetch(location.href, { signal: AbortSignal.timeout(15_000) });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const now = page.querySelector("[data-goes-on]");
    if (now) document.querySelector("[data-goes-on]").replaceChildren(...now.childNodes);
    else if (answer.ok && !typed()) return location.reload();
  } catch {
    // The server is away, and may come back.
  }
  setTimeout(look, 1000 * SECONDS);
}

setTimeout(look, 1000 * SECONDS);
