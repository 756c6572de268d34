"use strict";
// The view of one neuron.

function neuronView(model, parts) {
  const row = model.rowOf.get(parts.join("/"));
  if (row === undefined) return missing(`No neuron ${parts.join("/")} in this atlas.`);
  const { neurons, optima } = model;
  const at = model.optimumOf.get(row);
  const over = `${number(neurons.mean[row])} ± ${number(neurons.std[row])}, at most ${number(neurons.max[row])}`;
  const words = smallTable(
    "The words that activate it most",
    ["word", "activation"],
    neurons.top_words[row].map((word, i) => [wordLink(model, word), number(neurons.top_activations[row][i])]),
  );
  const groups = groupsOfNeuron(model, row);
  const step = (by) => (model.names[row + by] ? neuronLink(model, row + by) : "");
  return {
    title: `Neuron ${model.names[row]}`,
    contents: [
      at === undefined ? null : inWords(model, row, at),
      at === undefined
        ? el(
            "p",
            {},
            "The study has no ascent on this neuron. To ascend now: ",
            el("code", {}, `make ask NEURON=${model.names[row]}`),
          )
        : optimumOfNeuron(model, at, over),
      at === undefined ? factList([["Over words", over]]) : null,
      section(
        "Words",
        el("div", { class: "columns" }, at === undefined ? null : nearestWords(model, at), words),
      ),
      at === undefined ? null : sentencesSection(model, "singles", at, optima.activation[at]),
      at === undefined ? null : section("What its optimum explains", ...explanationOfNeuron(model, row, at)),
      at === undefined ? null : section("Compared with null models", nullsTable(model, row, at)),
      section("Groups that contain it", groups),
      el(
        "nav",
        { class: "steps", "aria-label": "Previous and next neuron" },
        el("span", {}, "Previous: ", step(-1)),
        el("span", {}, "Next: ", step(1)),
      ),
    ],
  };
}

/** What a neuron's numbers mean, in words. */
function inWords(model, row, at) {
  const { optima, neurons, nulls } = model;
  const median = (column) =>
    d3.median(
      d3
        .range(nulls?.null.length ?? 0)
        .filter((i) => nulls.site[i] === neurons.site[row] && nulls.layer[i] === neurons.layer[row])
        .map((i) => nulls[column][i]),
    );
  const beside = (column) => (median(column) == null ? "" : ` (null models: ${number(median(column))})`);
  const cosine = optima.nearest_cosines[at][0];
  const [nearest, best] = [optima.nearest_words[at][0], neurons.top_words[row][0]];
  const parts = [
    `The input that activates this ${model.what} most `,
    optima.ceiling[at] ? `reaches ${percent(optima.activation[at] / optima.ceiling[at])} of what any input can reach, and ` : "",
    "resembles ",
    wordLink(model, nearest),
    ` most: a cosine of ${number(cosine)}${beside("nearest_cosine")}. The word that activates the ${model.what} most is `,
    wordLink(model, best),
    optima.utilisation_best_word[at] == null ? ". " : `, which reaches ${percent(optima.utilisation_best_word[at])} of that. `,
    optima.explanation[at] == null
      ? ""
      : `How near a word is to this input predicts how much it activates the ${model.what} with a correlation of ${number(optima.explanation[at])}${beside("explanation")}.`,
  ];
  return el("p", { class: "prose" }, ...parts);
}

function optimumOfNeuron(model, at, over) {
  const of = Object.fromEntries(Object.entries(model.optima).map(([column, values]) => [column, values[at]]));
  const others =
    of.starts.length > 1
      ? `${number(d3.min(of.starts))} to ${number(d3.max(of.starts))} from ${of.starts.length} starts`
      : "one start";
  const facts = factList([
    ["Activation reached", `${number(of.activation)} (${others})`],
    [
      "Ceiling",
      of.ceiling == null ? "none" : `${number(of.ceiling)}; reached ${percent(of.activation / of.ceiling)}`,
    ],
    ["At the start", number(of.start_activation)],
    [
      "Utilisation",
      `best word ${percent(of.utilisation_best_word)}, nearest word ${percent(of.utilisation_nearest_word)}, mean word ${percent(of.utilisation_mean_word)}`,
    ],
    ["Over words", over],
    [
      "Ascent",
      `${of.taken} steps; ${of.collapsed ? "collapsed" : of.converged ? "converged" : "still rising"}`,
    ],
    ["Largest entries of x", inARow(of.largest_entries.split(" ").map((word) => wordLink(model, word)))],
  ]);
  const best = of.utilisation_best_word == null ? null : of.utilisation_best_word * of.activation;
  const text = `Activation along the ascent: from ${number(of.curve[0])} to ${number(of.curve.at(-1))} in ${model.steps.at(-1)} steps${of.ceiling == null ? "" : `; no input can exceed ${number(of.ceiling)}`}.`;
  return el(
    "div",
    { class: "columns" },
    facts,
    chart(text, ascentChart(model.steps, of.curve, of.ceiling, best)),
  );
}

function nearestWords(model, at) {
  const { nearest_words, nearest_cosines } = model.optima;
  const rows = nearest_words[at].map((word, i) => [wordLink(model, word), number(nearest_cosines[at][i])]);
  return smallTable("Nearest words of its optimum", ["word", "cosine"], rows);
}

/** How well closeness to the optimum predicts which words activate the neuron, in numbers and drawn. */
function explanationOfNeuron(model, row, at) {
  const { optima } = model;
  const value = optima.explanation[at];
  const near = [100, 1000]
    .map((n) => [n, optima[`precision_${n}`][at]])
    .filter(([, share]) => share != null)
    .map(([n, share]) => `${Math.round(100 * share)} among the ${n.toLocaleString("en")} nearest`);
  const facts = factList([
    [
      "Explanation",
      value == null
        ? "–"
        : `${number(value)} (its start ${number(optima.start_explanation[at])}): the correlation, over all words, of the cosine to the optimum and the activation`,
    ],
    near.length > 0 && ["Of the 100 words that activate it most", near.join(", ")],
  ]);
  return [facts, explanationFigure(model, row, at)];
}

function explanationFigure(model, row, at) {
  const { neurons, scatter } = model;
  const placed = ({ cosine, activation }) => cosine != null && activation != null;
  const most = (neurons.top_words[row] ?? [])
    .map((word, i) => ({
      word,
      cosine: scatter?.top_cosines[at][i],
      activation: neurons.top_activations[row][i],
    }))
    .filter(placed);
  const shownAsMost = new Set(most.map(({ word }) => word));
  const drawn = (scatter?.words ?? [])
    .map((word, i) => ({
      word,
      cosine: scatter.cosines[at][i],
      activation: scatter.activations[at][i],
    }))
    .filter((point) => placed(point) && !shownAsMost.has(point.word));
  if (!drawn.length) return null;
  const text = `Words by their cosine to the optimum (across) and the neuron's activation by them (up): ${drawn.length} words that were drawn once for all neurons (rings), and the ${most.length} words that activate this one most (triangles).`;
  return chart(text, wordsChart(drawn, most));
}

function nullsTable(model, row, at) {
  const { neurons, optima, nulls } = model;
  const own = [
    `this ${model.what}`,
    "1",
    number(optima.nearest_cosines[at][0]),
    percent(optima.ceiling[at] ? optima.activation[at] / optima.ceiling[at] : null),
    percent(optima.utilisation_best_word[at]),
    percent(optima.utilisation_drawn_sentence?.[at]),
    number(optima.explanation[at]),
  ];
  const start = [
    "its start, before any step",
    "1",
    number(optima.start_nearest_cosine[at]),
    percent(optima.ceiling[at] ? optima.start_activation[at] / optima.ceiling[at] : null),
    "–",
    "–",
    number(optima.start_explanation[at]),
  ];
  const same = d3
    .range(nulls?.null.length ?? 0)
    .filter((i) => nulls.site[i] === neurons.site[row] && nulls.layer[i] === neurons.layer[row]);
  const rows = same.map((i) => [
    label(nulls.null[i]),
    String(nulls.neurons[i]),
    number(nulls.nearest_cosine[i]),
    percent(nulls.share_of_ceiling[i]),
    percent(nulls.utilisation_best_word[i]),
    percent(nulls.utilisation_drawn_sentence?.[i]),
    number(nulls.explanation[i]),
  ]);
  return smallTable(
    `Medians over ${model.what}s ${model.alike} in null models`,
    [
      "of",
      `${model.what}s`,
      "cosine to the nearest word",
      "share of the ceiling",
      "best word, share of the optimum",
      `best of ${model.corpus?.drawn} drawn sentences, share of the optimum`,
      "explanation",
    ],
    [own, start, ...rows],
  );
}

function groupsOfNeuron(model, row) {
  const found = memberships(model).get(row) ?? [];
  if (!found.length) return el("p", {}, "None, at the sizes studied.");
  const rows = found
    .sort((a, b) => a[2] - b[2])
    .slice(0, 50)
    .map(([target, selection, rank]) => [
      wordLink(model, model.targets.word[target]),
      label(selection),
      String(rank),
      String(model.sizes.find((size) => size >= rank)),
    ]);
  const caption = `${found.length > 50 ? `The first 50 of ${found.length}` : found.length} groups, by the neuron's place in them`;
  return smallTable(caption, ["word", "selection", "place", "in groups of at least"], rows);
}
