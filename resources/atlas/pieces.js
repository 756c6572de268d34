"use strict";
// Building blocks of views: elements, numbers, links, charts, tables. Text is never inserted as HTML.

/** An element with attributes (null ones are left out) and children: nodes or text. */
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value != null) made.setAttribute(name, value);
  made.append(...children.flat().filter((child) => child != null));
  return made;
}

const number = (value) =>
  value == null ? "–" : Math.abs(value) >= 1000 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
const percent = (value) =>
  value == null ? "–" : `${(100 * value).toFixed(value && Math.abs(value) < 0.0995 ? 1 : 0)} %`;
const shown = (value, unit) => (unit === "%" ? percent(value) : number(value));

/** A name as the figures show it. */
const label = (name) =>
  name.replaceAll("_", " ").replace("z score", "z-score").replace("layernorm", "LayerNorm");

/** The fragment of a view, from its parts and options. */
function place(parts, chosen = {}) {
  const kept = Object.entries(chosen).filter(([, value]) => value != null && value !== "");
  const query = new URLSearchParams(kept).toString();
  return `#/${parts.map(encodeURIComponent).join("/")}${query ? `?${query}` : ""}`;
}

/** A word, isolated so that right-to-left text does not reorder the text around it. */
const asWord = (word) => el("bdi", { class: "word" }, word);
const wordLink = (model, word) =>
  model.known.has(word) ? el("a", { href: place([model.name, "word", word]) }, asWord(word)) : asWord(word);
const neuronLink = (model, row) =>
  el("a", { href: place([model.name, "neuron", ...model.names[row].split("/")]) }, model.names[row]);
const inARow = (nodes) => nodes.flatMap((node, i) => (i ? [" · ", node] : [node]));

/** Facts as pairs of a name and a value. */
const factList = (pairs) =>
  el(
    "dl",
    { class: "facts" },
    ...pairs.filter(Boolean).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))),
  );

/** A section under a heading. */
const section = (heading, ...children) => el("section", {}, el("h2", {}, heading), ...children);

/** Whether any row has a number in a column; columns of text always count. */
const isFilled = ({ number }, rows) => !number || rows.some((row) => number(row) != null);

/** A small table with a caption, without empty columns; the first cell of each row is a header. */
function smallTable(caption, header, rows) {
  const filled = header.map((_, i) => !rows.length || rows.some((row) => row[i] !== "–"));
  const shownCells = (row) => row.filter((_, i) => filled[i]);
  const head = el("tr", {}, ...shownCells(header).map((name) => el("th", { scope: "col" }, name)));
  const body = rows.map(shownCells).map(([first, ...rest]) =>
    el("tr", {}, el("th", { scope: "row" }, first), ...rest.map((cell) => el("td", {}, cell))),
  );
  const table = el("table", {}, el("caption", {}, caption), el("thead", {}, head), el("tbody", {}, ...body));
  return el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": caption }, table);
}

/**
 * A long table that can be sorted, filtered and paged. columns: {key, title, text, number}: `text` returns what
 * a row shows (a node or a string), `number` its sort key. sorted: [key, "asc" or "desc"], which whenSorted
 * receives too.
 */
function longTable(caption, columns, rows, sorted, whenSorted = () => {}) {
  const table = el("table", { class: "long" }, el("caption", {}, caption));
  const holder = el("div", { class: "scroll" }, table);
  const make = () => {
    const at = Math.max(
      0,
      columns.findIndex(({ key }) => key === sorted?.[0]),
    );
    const made = new DataTable(table, {
      data: rows,
      autoWidth: false,
      deferRender: true,
      pageLength: 25,
      lengthChange: false,
      order: [[at, sorted?.[1] === "desc" ? "desc" : "asc"]],
      layout: { topStart: "search", topEnd: null, bottomStart: "info", bottomEnd: "paging" },
      language: {
        search: "Filter:",
        info: "_START_ to _END_ of _TOTAL_",
        infoFiltered: "(filtered from _MAX_)",
        emptyTable: "none",
      },
      columns: columns.map(({ key, title, text, number }) => ({
        title,
        type: number ? "num" : "string",
        className: number && !["neuron", "direction"].includes(key) ? "number" : null,
        data: null,
        render: (row, kind) => {
          if (kind === "sort" || kind === "type")
            return number ? (number(row) ?? -Infinity) : plainText(text(row));
          return kind === "display" ? text(row) : plainText(text(row));
        },
      })),
    });
    const named = () => holder.querySelector("nav")?.setAttribute("aria-label", `Pages of: ${caption}`);
    named();
    made.on("draw", named);
    made.on("order", () => {
      const [[column, direction] = []] = made.order();
      if (column != null) whenSorted([columns[column].key, direction]);
    });
  };
  return { holder, make };
}

const plainText = (shown) => (typeof shown === "string" ? shown : shown.textContent);

/** A select box that passes its value to `chosen`. */
function choice(name, options, value, chosen) {
  const made = el("select", {}, ...options.map(([key, text]) => el("option", { value: key }, text)));
  made.value = value;
  made.addEventListener("change", () => chosen(made.value));
  return el("label", { class: "choice" }, `${name} `, made);
}

/** A chart with a text version below. */
function chart(words, plot) {
  for (const inner of plot.querySelectorAll("[aria-label]")) inner.removeAttribute("aria-label");
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", words);
  return el("figure", {}, plot, el("figcaption", {}, words));
}

const WIDTH = () => Math.min(560, document.getElementById("main").clientWidth - 8);
const SYMBOLS = ["circle", "square", "triangle"];
const DASHES = ["", "5 3", "1.5 3", "8 3 2 3", "3 3", "10 4"];

/** A chart of an ascent: activation by step, the ceiling, and the best word's activation. */
function ascentChart(steps, curve, ceiling, best) {
  const points = steps.map((step, i) => ({ step, activation: curve[i] }));
  const lines = [
    ceiling != null && { y: ceiling, text: "ceiling", dash: "5 3" },
    best != null && { y: best, text: "best word", dash: "1.5 3" },
  ].filter(Boolean);
  return Plot.plot({
    width: WIDTH(),
    height: 240,
    marginRight: 64,
    x: {
      type: "symlog",
      label: "step",
      ticks: steps.length > 1 ? [0, 1, 10, 100, 1000, 10000].filter((t) => t <= steps.at(-1)) : 1,
    },
    y: { label: "activation", grid: true, nice: true },
    marks: [
      ...lines.map(({ y, dash }) => Plot.ruleY([y], { strokeDasharray: dash, strokeOpacity: 0.7 })),
      Plot.text(lines, { y: "y", x: steps.at(-1), text: "text", textAnchor: "start", dx: 5 }),
      Plot.lineY(points, { x: "step", y: "activation", stroke: "var(--accent)", strokeWidth: 2, tip: true }),
    ],
  });
}

/** A chart of words by cosine and activation; rings, and triangles for those that activate most. */
function wordsChart(drawn, most) {
  const of = (symbol, colour) => ({
    x: "cosine",
    y: "activation",
    symbol,
    r: 3,
    stroke: `var(--${colour})`,
    tip: true,
    // The isolates keep a right-to-left word from reordering its numbers.
    title: ({ word, cosine, activation }) =>
      `\u2068${word}\u2069: cosine ${number(cosine)}, activation ${number(activation)}`,
  });
  return Plot.plot({
    width: WIDTH(),
    height: 280,
    x: { label: "cosine of word and optimum", grid: true, nice: true },
    y: { label: "activation by the word", grid: true, nice: true },
    marks: [
      Plot.dot(drawn, of("circle", "accent")),
      Plot.dot(most, { ...of("triangle", "series-1"), fill: "var(--series-1)" }),
    ],
  });
}

/** A small histogram of one layer, with medians of null models as dashed lines. */
function histogram(values, unit, x, highest, nulls) {
  const scale = unit === "%" ? 100 : 1;
  return Plot.plot({
    width: 168,
    height: 96,
    marginLeft: 6,
    marginRight: 6,
    marginTop: 4,
    x: { domain: x.map((edge) => edge * scale), ticks: 3, label: null, nice: false },
    y: { axis: null, domain: [0, highest] },
    marks: [
      Plot.rectY(
        values,
        Plot.binX(
          { y: "proportion" },
          { x: (v) => v * scale, thresholds: binEdges(x).map((e) => e * scale), fill: "var(--accent)" },
        ),
      ),
      ...nulls.map(({ value, place }) =>
        Plot.ruleX([value * scale], { strokeDasharray: DASHES[1 + (place % 5)] }),
      ),
      Plot.ruleY([0]),
    ],
  });
}

const binEdges = ([low, high], bins = 24) => d3.range(bins + 1).map((i) => low + ((high - low) * i) / bins);

/** The highest bar of several histograms, so that they share a scale. */
const highestBin = (lists, x) =>
  d3.max(lists, (values) =>
    d3.max(d3.bin().domain(x).thresholds(binEdges(x))(values), (bin) => bin.length / values.length),
  ) ?? 1;
