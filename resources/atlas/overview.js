"use strict";
// The overview of a model, and the long tables of its neurons and words.

const NULL_WORDS = "dashed: medians of null models";

function overview(model, chosen) {
  const all = measures(model);
  const key = all[chosen.measure] ? chosen.measure : Object.keys(all)[0];
  const [name, unit, of] = all[key];
  const options = Object.entries(all).map(([option, [text]]) => [option, text]);
  const { neurons, optima, targets, directions } = model;
  const facts = [
    ["Neurons", `${neurons.site.length.toLocaleString("en")} (${model.sites.join(", ")})`],
    optima && ["With an ascent", `${optima.neuron.length.toLocaleString("en")}, ${ABOUT.steps.singles} steps`],
    targets && [
      "Words with groups",
      `${targets.word.length}, ${model.sizes.length} sizes, ${model.selections.map(label).join(", ")}`,
    ],
    directions && [
      "Directions",
      `${directions.name.length.toLocaleString("en")} in ${new Set(directions.set).size} sets`,
    ],
  ];
  const tables = [
    ["Neurons", "neurons", neuronTable(model, chosen)],
    ["Words", "words", wordTable(model, chosen)],
    ["Directions", "directions", directionTable(model, chosen)],
  ].filter(([, , table]) => table);
  const ownPage = (kind) =>
    el("p", {}, el("a", { href: place([model.name, kind]) }, "This table on its own page"));
  return {
    title: `${ABOUT.study}: ${model.name}`,
    contents: [
      introduction(model),
      factList(facts),
      section(
        "All layers",
        choice("Show", options, key, (measure) => go([model.name], { measure })),
        multiples(model, name, unit, of, key),
      ),
      ...tables.map(([heading, kind, { holder }]) => section(heading, holder, ownPage(kind))),
    ],
    ready: () => tables.forEach(([, , { make }]) => make()),
  };
}

/** What one sees, what the study found, and how to read a page. */
function introduction({ name, optima, targets, directions }) {
  const of = [
    optima && `each neuron of ${name} that was studied`,
    targets && `each group of ${name}'s neurons that a word activates most`,
    directions && "each direction of the study's sets",
  ].filter(Boolean);
  const seen = `For ${of.join(", and for ")}, this atlas shows the input that activates it most, as gradient ascent found it, and the words nearest to that input.`;
  const read =
    "Read every number beside its null models, in which nothing was learnt: permuted has the model's weights in random order, untrained was never trained.";
  return el("div", { class: "prose" }, ...[seen, ABOUT.found[name], read].map((text) => el("p", {}, text)));
}

/** A histogram of a measure for every site and layer, on one scale; each links to its neurons. */
function multiples(model, name, unit, of, key) {
  const { neurons, nulls } = model;
  const cells = new Map();
  neurons.site.forEach((site, row) => {
    const value = of(row);
    const cell = `${site}/${neurons.layer[row]}`;
    if (!cells.has(cell)) cells.set(cell, []);
    if (value != null) cells.get(cell).push(value);
  });
  const filled = [...cells].filter(([, values]) => values.length);
  if (!filled.length) return el("p", {}, "Nothing to show.");
  const x = d3.nice(...d3.extent(filled.flatMap(([, values]) => values)), 8);
  const highest = highestBin(
    filled.map(([, values]) => values),
    x,
  );
  const column = {
    share: "share_of_ceiling",
    best: "utilisation_best_word",
    cosine: "nearest_cosine",
    explanation: "explanation",
  }[key];
  const kinds = [...new Set(nulls?.null ?? [])];
  const medians = (site, layer) =>
    column && nulls
      ? d3
          .range(nulls.null.length)
          .filter((i) => nulls.site[i] === site && nulls.layer[i] === layer && nulls[column][i] != null)
          .map((i) => ({ value: nulls[column][i], null: nulls.null[i], place: kinds.indexOf(nulls.null[i]) }))
          .filter(({ value }) => value >= x[0] && value <= x[1])
      : [];
  const figures = filled.map(([cell, values]) => {
    const [site, layer] = cell.split("/");
    const lines = medians(site, Number(layer));
    const words = [
      `median ${shown(d3.median(values), unit)} (${values.length})`,
      ...lines.map((d) => `${label(d.null)} ${shown(d.value, unit)}`),
    ];
    const plot = histogram(values, unit, x, highest, lines);
    plot.setAttribute("aria-hidden", "true");
    return el(
      "a",
      { class: "multiple", href: place([model.name, "neurons"], { site, layer }) },
      el("strong", {}, `${site} ${layer}`),
      plot,
      el("span", {}, words.join("; ")),
    );
  });
  const caption = `${name}${unit ? ` (${unit})` : ""}: share of neurons by value, layer by layer${column && nulls ? `; ${NULL_WORDS}` : ""}.`;
  return el(
    "figure",
    { class: "wide" },
    el("div", { class: "multiples" }, ...figures),
    el("figcaption", {}, caption),
  );
}

function neuronTable(model, { site, layer, sort, dir, all }, whenSorted) {
  const { neurons, optima } = model;
  const known = measures(model);
  const rows = d3
    .range(neurons.site.length)
    .filter(
      (row) =>
        (!site || neurons.site[row] === site) &&
        (!layer || String(neurons.layer[row]) === layer) &&
        (all || !optima || model.optimumOf.has(row)),
    );
  const of = (column) => (row) => optima?.[column][model.optimumOf.get(row)];
  const columns = [
    { key: "neuron", title: "neuron", text: (row) => neuronLink(model, row), number: (row) => row },
    ...Object.entries(known).map(([key, [title, unit, value]]) => ({
      key,
      title,
      text: (row) => shown(value(row), unit),
      number: value,
    })),
    optima && {
      key: "nearest",
      title: "nearest word",
      text: (row) => wordOr(model, of("nearest_words")(row)?.[0]),
    },
    { key: "best_word", title: "best word", text: (row) => wordOr(model, neurons.top_words[row][0]) },
  ].filter((column) => column && isFilled(column, rows));
  const caption = `Neurons${site ? ` of ${site}` : ""}${layer ? `, layer ${layer}` : ""}`;
  return longTable(caption, columns, rows, [sort ?? "neuron", dir], whenSorted);
}

const wordOr = (model, word) => (word == null ? "–" : wordLink(model, word));

function wordTable(model, { sort, dir }, whenSorted) {
  const { targets } = model;
  if (!targets) return null;
  const threshold = thresholdsOf(model);
  const percents = [...new Set(model.thresholds.percent)];
  const rows = d3.range(targets.word.length);
  const columns = [
    { key: "word", title: "word", text: (row) => wordLink(model, targets.word[row]) },
    { key: "category", title: "category", text: (row) => label(targets.category[row]) },
    { key: "frequency", title: "frequency", text: (row) => label(targets.frequency_band[row]) },
    ...model.selections.flatMap((selection) =>
      percents.map((p) => ({
        key: `${selection}-${p}`,
        title: `neurons at ${p} % (${label(selection)})`,
        text: (row) => number(threshold(targets.word[row], selection, p)),
        number: (row) => threshold(targets.word[row], selection, p),
      })),
    ),
  ].filter((column) => isFilled(column, rows));
  return longTable(
    "Target words, and the group size at which each is recovered",
    columns,
    rows,
    [sort ?? "word", dir],
    whenSorted,
  );
}

/** A long table on its own page; the fragment keeps its order. */
function tableView(model, kind, chosen) {
  const [build, title, lacking] = {
    neurons: [neuronTable, "Neurons"],
    words: [wordTable, "Words", "This study has no groups of words."],
    directions: [directionTable, "Directions", "This study has no directions."],
  }[kind];
  const made = build(model, chosen, ([sort, dir]) => replace([model.name, kind], { ...chosen, sort, dir }));
  if (!made) return missing(lacking);
  const contents = [made.holder];
  if (kind === "neurons") contents.unshift(neuronChoices(model, chosen));
  return { title, contents, ready: made.make };
}

function neuronChoices(model, chosen) {
  const layers = [...new Set(model.neurons.layer)];
  const to = (change) => go([model.name, "neurons"], { ...chosen, ...change });
  const any = (values) => [["", "all"], ...values.map((value) => [String(value), String(value)])];
  const sampled = model.optima && model.optima.neuron.length < model.names.length;
  return el(
    "div",
    { class: "choices" },
    choice("Site", any(model.sites), chosen.site ?? "", (site) => to({ site })),
    choice("Layer", any(layers), chosen.layer ?? "", (layer) => to({ layer })),
    sampled
      ? choice(
          "Which",
          [
            ["", "with an ascent"],
            ["yes", "all"],
          ],
          chosen.all ?? "",
          (all) => to({ all }),
        )
      : null,
  );
}
