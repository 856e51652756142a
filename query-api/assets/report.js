// Renews a live report: fetches the page again and puts in place what has changed. Nothing else needs this file.
(() => {
  "use strict";
  const PAUSE = 10000;
  const PATIENCE = 30000;
  let tag = null;

  // somebody types, chooses or marks text, or looks elsewhere
  const busy = () => {
    const active = document.activeElement;
    return document.hidden || (active && active.matches("input, select, textarea")) || !getSelection().isCollapsed;
  };

  // the same text is not put again: it would be read out again
  const write = (id, text) => {
    const place = document.getElementById(id);
    if (place && place.textContent !== text) place.textContent = text;
  };

  function put(next) {
    const [old, fresh] = [document, next].map((page) => page.getElementById("main"));
    if (!old || !fresh) return;
    const open = [...old.querySelectorAll("details")].map((details) => details.open);
    fresh.querySelectorAll("details").forEach((details, place) => {
      if (place < open.length) details.open = open[place];
    });
    const focused = document.activeElement && document.activeElement.getAttribute("href");
    const [before, after] = [[...old.children], [...fresh.children]];
    if (before.length !== after.length) {
      old.replaceChildren(...after);
    } else {
      before.forEach((element, place) => {
        if (element.outerHTML !== after[place].outerHTML) element.replaceWith(after[place]);
      });
    }
    document.title = next.title;
    // outside of what is replaced, and good for half a day
    const [token, renewed] = [document, next].map((page) => page.querySelector(".account [name=token]"));
    if (token && renewed) token.value = renewed.value;
    if (focused && document.activeElement === document.body) {
      const again = [...old.querySelectorAll("a[href]")].find((link) => link.getAttribute("href") === focused);
      if (again) again.focus({ preventScroll: true });
    }
  }

  async function ask() {
    const headers = tag ? { "If-None-Match": tag } : {};
    const answer = await fetch(location.href, { headers, cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    if (answer.redirected || answer.status === 401 || answer.status === 403) {
      location.reload();
    } else if (answer.status === 304) {
      // nothing is new, and that is news
      write("renewal", "");
      write("as-of", answer.headers.get("Footfall-As-Of"));
    } else if (answer.ok) {
      const next = new DOMParser().parseFromString(await answer.text(), "text/html");
      write("renewal", "");
      put(next);
      tag = answer.headers.get("ETag");
    } else {
      throw new Error(`the report is answered ${answer.status}`);
    }
  }

  async function renew() {
    if (!busy()) {
      try {
        await ask();
      } catch {
        const asOf = document.getElementById("as-of");
        write("renewal", `Not renewed since ${asOf ? asOf.textContent : "a while ago"}, trying again.`);
      }
    }
    setTimeout(renew, PAUSE);
  }

  setTimeout(renew, PAUSE);
})();
