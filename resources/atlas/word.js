"use strict";
// The view of one word.

function wordView(model, word, chosen) {
  const target = model.targetOf.get(word);
  if (!model.known.has(word)) return missing(`No entry “${word}” in this model's vocabulary.`);
  const about =
    target === undefined
      ? []
      : [
          ["Category", label(model.targets.category[target])],
          ["Frequency", label(model.targets.frequency_band[target])],
        ];
  return {
    title: ["Word ", asWord(word)],
    spoken: `Word ${word}`,
    contents: [
      target === undefined
        ? el(
            "p",
            {},
            "Not a target word of this study. To ascend on its groups now: ",
            el("code", {}, `make ask WORD='${word.replaceAll("'", `'\\''`)}'`),
          )
        : factList(about),
      ...(target === undefined ? [] : groupsOfWord(model, word, target, chosen)),
      section(
        "Single neurons",
        el("div", { class: "columns" }, activatedTable(model, word), nearTable(model, word)),
      ),
    ],
  };
}

function activatedTable(model, word) {
  const found = activatedBy(model, word);
  if (!found.length) return el("p", {}, "It is not among the words that activate any neuron most.");
  const rows = found
    .sort((a, b) => a[1] - b[1])
    .slice(0, 50)
    .map(([row, at]) => [
      neuronLink(model, row),
      String(at + 1),
      number(model.neurons.top_activations[row][at]),
    ]);
  return smallTable(
    `Neurons that have it among the words that activate them most (${found.length})`,
    ["neuron", "place", "activation"],
    rows,
  );
}

function nearTable(model, word) {
  const found = optimaNear(model, word);
  if (!found.length) return el("p", {}, "It is not among the nearest words of any optimum.");
  const rows = found
    .sort((a, b) => a[1] - b[1])
    .slice(0, 50)
    .map(([at, i]) => [
      neuronLink(model, model.optima.neuron[at]),
      String(i + 1),
      number(model.optima.nearest_cosines[at][i]),
    ]);
  return smallTable(
    `Neurons that have it among the nearest words of their optimum (${found.length})`,
    ["neuron", "place", "cosine"],
    rows,
  );
}

function groupsOfWord(model, word, target, chosen) {
  const { groups } = model;
  const rows = d3.range(groups.word.length).filter((i) => groups.word[i] === word);
  const whole = rows.filter((i) => groups.scope[i] === "model");
  const made = [section("Its groups", cosineChart(model, whole), groupTable(model, rows))];
  made.push(
    section("Group size at which it is recovered", thresholdTable(model, word)),
    section("Compared with nulls", recoveryTable(model)),
  );
  if (!model.selections.length || !whole.length) return made;
  const selection = model.selections.includes(chosen.selection) ? chosen.selection : model.selections[0];
  const size = model.sizes.find((s) => String(s) === chosen.size) ?? model.sizes.at(-1);
  const to = (change) => go([model.name, "word", word], { selection, size, ...change });
  const row = whole.find((i) => groups.selection[i] === selection && groups.size[i] === size);
  const options = (values) => values.map((value) => [String(value), label(String(value))]);
  return [
    ...made,
    section(
      "Its neurons",
      el(
        "div",
        { class: "choices" },
        choice("Selection", options(model.selections), selection, (s) => to({ selection: s })),
        choice("Group size", options(model.sizes), String(size), (s) => to({ size: s })),
      ),
      layersChart(model, target, selection, size),
      el(
        "div",
        { class: "columns" },
        firstNeurons(model, target, selection, size),
        neighbourTable(model, target, selection, size),
      ),
    ),
    row === undefined
      ? null
      : sentencesSection(
          model,
          "groups",
          row,
          groups.activation[row],
          `Sentences and short texts of its group: ${label(selection)}, ${size} neurons`,
        ),
  ];
}

/** The index of a selection's colour, symbol and dashes, as in the study's figures. */
const styleOf = (selection) => Math.max(0, ["absolute", "ratio_to_max", "z_score"].indexOf(selection));

function cosineChart(model, rows) {
  const { groups } = model;
  if (!rows.length) return el("p", {}, "All its groups are within single layers: see the table.");
  const points = rows.map((i) => ({
    size: groups.size[i],
    cosine: groups.target_cosine[i],
    selection: label(groups.selection[i]),
    recovered: groups.recovered[i],
  }));
  const lines = model.selections.flatMap((selection) => {
    const own = points.filter((d) => d.selection === label(selection));
    const style = { x: "size", y: "cosine", stroke: `var(--series-${styleOf(selection)})` };
    return [
      Plot.lineY(own, { ...style, sort: "size", strokeDasharray: DASHES[styleOf(selection)] }),
      Plot.dot(own, {
        ...style,
        symbol: SYMBOLS[styleOf(selection)],
        fill: (d) => (d.recovered ? `var(--series-${styleOf(selection)})` : "var(--page)"),
        r: 4,
        tip: true,
        title: (d) =>
          `${d.selection}, ${d.size} neurons: ${number(d.cosine)}${d.recovered ? ", recovered" : ""}`,
      }),
      Plot.text(
        own.filter((d) => d.size === d3.max(own, (e) => e.size)),
        { x: "size", y: "cosine", text: "selection", textAnchor: "start", dx: 8 },
      ),
    ];
  });
  const plot = Plot.plot({
    width: WIDTH(),
    height: 240,
    marginRight: 88,
    x: {
      type: "log",
      label: "group size (neurons)",
      ticks: model.sizes,
      tickFormat: "d",
      tickRotate: model.sizes.length > 8 ? -45 : 0,
    },
    y: { label: "cosine to the word", grid: true, nice: true },
    marks: lines,
  });
  const recovered = d3.rollups(
    points,
    (own) => `${own.filter((d) => d.recovered).length} of ${own.length} sizes`,
    (d) => d.selection,
  );
  return chart(
    `Cosine of the groups' optima to the word, against group size; filled where it is the nearest of all words (${recovered.map((r) => r.join(": ")).join("; ")}).`,
    plot,
  );
}

function groupTable(model, rows) {
  const { groups } = model;
  const sorted = rows.sort(
    (a, b) =>
      d3.ascending(groups.selection[a], groups.selection[b]) ||
      groups.scope_layer[a] - groups.scope_layer[b] ||
      groups.size[a] - groups.size[b],
  );
  const cells = sorted.map((i) => [
    label(groups.selection[i]),
    groups.scope[i] === "model" ? "all" : String(groups.scope_layer[i]),
    String(groups.size[i]),
    groups.recovered[i] ? "yes" : "no",
    groups.starts[i] > 1 ? `${percent(groups.recovery[i])} of ${groups.starts[i]}` : "–",
    String(groups.target_rank[i]),
    number(groups.target_cosine[i]),
    number(groups.margin[i]),
    groups.ceiling[i] ? percent(groups.activation[i] / groups.ceiling[i]) : "–",
    number(groups.explanation[i]),
    inARow(groups.nearest_words[i].split(" ").map((near) => wordLink(model, near))),
  ]);
  const header = [
    "selection",
    "layers",
    "size",
    "recovered",
    "over all starts",
    "rank",
    "cosine",
    "margin",
    "share of ceiling",
    "explanation",
    "nearest words",
  ];
  return smallTable("Optima of its groups (from the first start)", header, cells);
}

function thresholdTable(model, word) {
  const of = thresholdsOf(model);
  const percents = [...new Set(model.thresholds.percent)];
  const rows = model.selections.map((selection) => [
    label(selection),
    ...percents.map((p) => number(of(word, selection, p))),
  ]);
  return smallTable(
    "Neurons, from a logistic curve in log size; extrapolated beyond the sizes studied",
    ["selection", ...percents.map((p) => `${p} %`)],
    rows,
  );
}

function recoveryTable(model) {
  const { recovery } = model;
  const names = [...new Set(recovery.null_model)];
  if (!names.length) return el("p", {}, "No null models in this study.");
  const rows = model.selections.flatMap((selection) =>
    names.map((name) => [
      `${label(name)} (${label(selection)})`,
      ...model.sizes.map((size) => {
        const i = d3
          .range(recovery.size.length)
          .find(
            (j) =>
              recovery.null_model[j] === name &&
              recovery.selection[j] === selection &&
              recovery.size[j] === size,
          );
        return i === undefined
          ? "–"
          : `${percent(recovery.value[i])} (${percent(recovery.low[i])} to ${percent(recovery.high[i])})`;
      }),
    ]),
  );
  return smallTable(
    "Share of words recovered in nulls, by group size",
    ["null", ...model.sizes.map(String)],
    rows,
  );
}

function layersChart(model, target, selection, size) {
  const { neurons } = model;
  const chosen = model.rankings[selection][target].slice(0, size);
  const counts = d3
    .rollups(
      chosen,
      (rows) => rows.length,
      (row) => neurons.layer[row],
    )
    .sort((a, b) => a[0] - b[0]);
  const layers = [...new Set(neurons.layer)].sort((a, b) => a - b);
  const plot = Plot.plot({
    width: WIDTH(),
    height: 160,
    x: { domain: layers, label: "layer" },
    y: { label: "neurons of the group", grid: true },
    marks: [Plot.barY(counts, { x: "0", y: "1", fill: "var(--accent)" }), Plot.ruleY([0])],
  });
  return chart(
    `Layers of the ${chosen.length} neurons: ${counts.map(([layer, n]) => `${layer}: ${n}`).join(", ")}.`,
    plot,
  );
}

function firstNeurons(model, target, selection, size) {
  const rows = model.rankings[selection][target].slice(0, Math.min(size, 25));
  return smallTable(
    `The first ${rows.length} of ${size}`,
    ["neuron", "place"],
    rows.map((row, i) => [neuronLink(model, row), String(i + 1)]),
  );
}

function neighbourTable(model, target, selection, size) {
  const found = neighbours(model, target, selection, size);
  if (!found.length) return el("p", {}, "No other target's group shares a neuron with it.");
  const rows = found
    .slice(0, 25)
    .map(([other, shared]) => [
      wordLink(model, model.targets.word[other]),
      String(shared),
      percent(shared / size),
    ]);
  return smallTable(
    `Target words that share most neurons with it (of ${found.length} that share any)`,
    ["word", "shared", "share"],
    rows,
  );
}
