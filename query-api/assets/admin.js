// Offers session IDs while one is typed. Without it, the button beside the field does the same.
"use strict";
for (const input of document.querySelectorAll("input[data-names]")) {
  let waiting;
  let asked = 0;
  const offer = async () => {
    const mine = ++asked;
    try {
      const answer = await fetch(input.dataset.names + "?part=" + encodeURIComponent(input.value));
      if (!answer.ok || mine !== asked) return;
      const names = await answer.json();
      input.list.replaceChildren(...names.map((name) => Object.assign(document.createElement("option"), { value: name })));
    } catch {
      // the button is still there
    }
  };
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(offer, 200);
  });
}
