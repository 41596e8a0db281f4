(() => {
  "use strict";
  const form = document.getElementById("filters");
  const cards = [...document.querySelectorAll(".card")].map((card) => {
    const rows = [...card.querySelectorAll("tbody tr")];
    const all = card.querySelector("h3").textContent + " " + [...card.querySelectorAll(".caption")].map((each) => each.textContent).join(" ");
    return {
      card,
      text: all.toLowerCase(),
      methods: card.dataset.methods.split(" ").filter(Boolean),
      rows: rows.map((row) => ({ row, text: row.textContent.toLowerCase(), methods: row.dataset.methods.split(" ").filter(Boolean) })),
    };
  });
  const sections = [...document.querySelectorAll("section.study")];

  const wanted = () => {
    const data = new FormData(form);
    const words = String(data.get("query")).toLowerCase().split(/\s+/).filter(Boolean);
    return { words, study: data.get("study"), kind: data.get("kind"), name: data.get("name"), method: data.get("method") };
  };
  const has = (text, words) => words.every((word) => text.includes(word));

  // A card is shown when its place fits and its own words match, or those of a row; then only rows that match are shown.
  const apply = () => {
    const want = wanted();
    let shown = 0;
    for (const { card, text, methods, rows } of cards) {
      const place = ["study", "kind", "name"].every((key) => !want[key] || card.dataset[key] === want[key]);
      const whole = has(text, want.words);
      let visible = 0;
      for (const each of rows) {
        const method = !want.method || each.methods.includes(want.method) || (!each.methods.length && methods.includes(want.method));
        const match = method && (whole || has(each.text, want.words));
        each.row.hidden = !match;
        visible += match ? 1 : 0;
      }
      const asked = want.words.length > 0 || want.method !== "";
      const own = whole && (!want.method || methods.includes(want.method));
      card.hidden = !(place && (!asked || visible > 0 || own));
      shown += card.hidden ? 0 : 1;
    }
    for (const section of sections) section.hidden = !section.querySelector(".card:not([hidden])");
    document.getElementById("shown").textContent = `${shown} of ${cards.length} shown`;
    document.getElementById("nothing").hidden = shown > 0;
  };
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(apply));
  document.getElementById("again").addEventListener("click", () => { form.reset(); form.elements.query.focus(); });

  const dialog = document.getElementById("zoomed");
  const stage = dialog.querySelector(".stage");
  const large = stage.querySelector("img");
  let factor = 1;
  const fit = () => Math.min(stage.clientWidth / large.naturalWidth, stage.clientHeight / large.naturalHeight);
  const show = (value) => {
    factor = Math.min(8, Math.max(0.1, value));
    large.style.width = `${Math.round(large.naturalWidth * factor)}px`;
    document.getElementById("factor").textContent = `${Math.round(100 * factor)} %`;
  };
  for (const button of document.querySelectorAll("button.zoom")) {
    button.addEventListener("click", () => {
      const small = button.querySelector("img");
      large.alt = small.alt;
      large.src = small.src;
      dialog.showModal();
      large.decode().then(() => { show(fit()); stage.focus(); });
    });
  }
  const steps = { in: () => show(factor * 1.25), out: () => show(factor / 1.25), fit: () => show(fit()), close: () => dialog.close() };
  dialog.addEventListener("click", (event) => {
    const name = event.target.dataset.zoom;
    if (name) steps[name]();
  });
  dialog.addEventListener("keydown", (event) => {
    const step = { "+": "in", "=": "in", "-": "out", "0": "fit" }[event.key];
    if (step) { event.preventDefault(); steps[step](); }
  });
  apply();
})();
