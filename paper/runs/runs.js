"use strict";
const { runs, columns } = JSON.parse(document.getElementById("data").textContent);
const form = document.getElementById("filters");
const body = document.querySelector("#runs tbody");
const plot = document.getElementById("plot");
const NUMBERS = new Set(["accuracy", "gain", "trainable", "share", "steps", "seed"]);
const FACTS = ["model", "dataset", "method"];
const FRAME = { left: 56, right: 704, top: 12, bottom: 296 };
const order = { key: "accuracy", falling: true };

const scoreOf = (run) => run.scores[form.elements.benchmark.value];
const percent = (share) => (100 * share).toFixed(1);

function valueOf(run, key) {
  const score = scoreOf(run);
  if (key === "accuracy") return score ? score.value : null;
  if (key === "gain") return score && score.base !== null ? score.value - score.base : null;
  return run[key];
}

function textOf(run, key) {
  const value = valueOf(run, key);
  if (value === null || value === undefined) return "";
  const score = scoreOf(run);
  if (key === "accuracy") return `${percent(score.value)} [${percent(score.low)}, ${percent(score.high)}]`;
  if (key === "gain") return (value < 0 ? "\u2212" : "+") + percent(Math.abs(value));
  if (key === "share") return `${Number(value.toPrecision(3))}`;
  return typeof value === "number" ? value.toLocaleString("en") : value;
}

function chosen() {
  const words = form.elements.query.value.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (run) =>
    FACTS.every((fact) => !form.elements[fact].value || run[fact] === form.elements[fact].value) &&
    words.every((word) => [run.run_id, run.setting, ...FACTS.map((fact) => run[fact])].join(" ").toLowerCase().includes(word));
  const sign = order.falling ? -1 : 1;
  return runs.filter(fits).sort((one, other) => {
    const [a, b] = [valueOf(one, order.key), valueOf(other, order.key)];
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (typeof a === "string" ? a.localeCompare(b) : a - b);
  });
}

function element(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function draw(shown) {
  plot.replaceChildren();
  const points = shown.filter((run) => scoreOf(run) && run.share > 0);
  if (!points.length) return;
  const shares = points.map((run) => Math.log10(run.share));
  const [low, high] = [Math.floor(Math.min(...shares)), Math.ceil(Math.max(...shares, Math.min(...shares) + 0.01))];
  const across = (share) => FRAME.left + ((Math.log10(share) - low) / (high - low)) * (FRAME.right - FRAME.left);
  const up = (value) => FRAME.bottom - value * (FRAME.bottom - FRAME.top);
  plot.append(element("path", { class: "axis", d: `M${FRAME.left} ${FRAME.top}V${FRAME.bottom}H${FRAME.right}` }));
  for (const tick of [0, 0.25, 0.5, 0.75, 1]) {
    plot.append(element("text", { x: FRAME.left - 8, y: up(tick) + 4, "text-anchor": "end" }, `${100 * tick}`));
  }
  for (let power = low; power <= high; power += 1) {
    plot.append(element("text", { x: across(10 ** power), y: FRAME.bottom + 18, "text-anchor": "middle" }, `${Number((10 ** power).toPrecision(3))}`));
  }
  plot.append(element("text", { x: (FRAME.left + FRAME.right) / 2, y: 332, "text-anchor": "middle" }, "Trainable share (%)"));
  plot.append(element("text", { x: FRAME.left + 8, y: FRAME.top + 10 }, "Accuracy (%)"));
  const models = new Set(points.map((run) => run.model));
  const base = scoreOf(points[0]).base;
  if (models.size === 1 && base !== null) {
    plot.append(element("path", { class: "base", d: `M${FRAME.left} ${up(base)}H${FRAME.right}` }));
  }
  for (const run of points) {
    const circle = element("circle", { cx: across(run.share), cy: up(scoreOf(run).value), r: 5 });
    circle.append(element("title", {}, `${run.run_id}: ${textOf(run, "accuracy")} %, ${textOf(run, "share")} % trained`));
    plot.append(circle);
  }
}

function show() {
  const shown = chosen();
  body.replaceChildren(
    ...shown.map((run) => {
      const row = document.createElement("tr");
      for (const key of Object.keys(columns)) {
        const cell = row.insertCell();
        cell.textContent = textOf(run, key);
        if (NUMBERS.has(key)) cell.className = "number";
      }
      return row;
    }),
  );
  for (const button of document.querySelectorAll("th button")) {
    const sorted = button.dataset.key === order.key ? (order.falling ? "descending" : "ascending") : "none";
    button.closest("th").setAttribute("aria-sort", sorted);
  }
  document.getElementById("shown").textContent = `${shown.length} of ${runs.length} runs`;
  draw(shown);
}

form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(show));
document.querySelector("#runs thead").addEventListener("click", (event) => {
  const key = event.target.dataset.key;
  if (!key) return;
  order.falling = order.key === key ? !order.falling : NUMBERS.has(key);
  order.key = key;
  show();
});
show();
