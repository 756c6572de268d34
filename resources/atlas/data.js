"use strict";
// The data of the page: unpacked and indexed on first use.

const ABOUT = JSON.parse(document.getElementById("about").textContent);
const PACKED = new Map(
  [...document.querySelectorAll("script[data-model]")].map((script) => [script.dataset.model, script]),
);
const MODELS = [...PACKED.keys()];
const opened = new Map();

/** A promise of a model's part of the atlas, with indices. */
function openModel(name) {
  if (!opened.has(name))
    opened.set(
      name,
      unpacked(PACKED.get(name)).then((data) => indexed(name, data)),
    );
  return opened.get(name);
}

async function unpacked(script) {
  const text = atob(script.textContent);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).json();
}

function indexed(name, data) {
  const { neurons, optima, targets, groups, directions } = data;
  const minus = data.seek === "minimum" ? "-" : "";
  const count = neurons.site.length;
  const names = Array.from(
    { length: count },
    (_, i) => `${minus}${neurons.site[i]}/${neurons.layer[i]}/${neurons.index[i]}`,
  );
  const named = directions && { ...directions, name: directions.name.map((own) => minus + own) };
  const model = {
    ...data,
    directions: named,
    name,
    what: "neuron",
    alike: "of the same layer",
    names,
    rowOf: new Map(names.map((neuron, row) => [neuron, row])),
    optimumOf: new Map((optima ? optima.neuron : []).map((neuron, row) => [neuron, row])),
    targetOf: new Map((targets ? targets.word : []).map((word, row) => [word, row])),
    known: new Set(data.words),
    lower: data.words.map(comparable),
    sites: [...new Set(neurons.site)],
    selections: Object.keys(data.rankings ?? {}),
  };
  model.sizes = groups
    ? [...new Set(groups.size.filter((_, i) => groups.scope[i] === "model"))].sort((a, b) => a - b)
    : [];
  return model;
}

/** A value that is computed on first use and kept with the model. */
function once(model, key, make) {
  return (model[key] ??= make());
}

/** Measures of neurons, for charts and sorting: label, unit, and a function of the row. */
function measures(model) {
  const { neurons, optima } = model;
  const of = (column) => (row) => optima?.[column][model.optimumOf.get(row)] ?? null;
  const share = (row) => {
    const [reached, ceiling] = [of("activation")(row), of("ceiling")(row)];
    return ceiling ? reached / ceiling : null;
  };
  const all = {
    cosine: ["Cosine to the nearest word", "", (row) => of("nearest_cosines")(row)?.[0] ?? null],
    share: ["Optimum, share of its ceiling", "%", share],
    best: ["Best word, share of the optimum", "%", of("utilisation_best_word")],
    explanation: ["Explanation", "", of("explanation")],
    activation: ["Activation of the optimum", "", of("activation")],
    word: ["Activation for the best word", "", (row) => neurons.max[row]],
  };
  return Object.fromEntries(Object.entries(all).filter(([key]) => optima || key === "word"));
}

/** The groups that each neuron is in: neuron -> [[target, selection, place from 1], ...]. */
function memberships(model) {
  return once(model, "members", () => {
    const members = new Map();
    for (const selection of model.selections)
      model.rankings[selection].forEach((ranking, target) =>
        ranking.forEach((neuron, place) => {
          if (!members.has(neuron)) members.set(neuron, []);
          members.get(neuron).push([target, selection, place + 1]);
        }),
      );
    return members;
  });
}

/** An index of lists of words: word -> [[row, place], ...]. */
function listed(model, key, lists) {
  return once(model, key, () => {
    const found = new Map();
    lists.forEach((words, row) =>
      words.forEach((word, place) => {
        if (!found.has(word)) found.set(word, []);
        found.get(word).push([row, place]);
      }),
    );
    return found;
  });
}

const activatedBy = (model, word) => listed(model, "activated", model.neurons.top_words).get(word) ?? [];
const optimaNear = (model, word) => listed(model, "near", model.optima?.nearest_words ?? []).get(word) ?? [];

/** Targets whose group shares neurons with this one's: [[target, shared neurons], ...], most first. */
function neighbours(model, target, selection, size) {
  const own = new Set(model.rankings[selection][target].slice(0, size));
  return model.rankings[selection]
    .map((ranking, other) => [other, ranking.slice(0, size).filter((neuron) => own.has(neuron)).length])
    .filter(([other, shared]) => other !== target && shared > 0)
    .sort((a, b) => b[1] - a[1]);
}

/** Group sizes at which a word is recovered: a function of word, selection and percent. */
function thresholdsOf(model) {
  const { thresholds } = model;
  const key = (...parts) => parts.join("\u0000");
  const found = once(
    model,
    "thresholdOf",
    () =>
      new Map(
        d3
          .range(thresholds.word.length)
          .filter((i) => thresholds.scope[i] === "model")
          .map((i) => [
            key(thresholds.word[i], thresholds.selection[i], thresholds.percent[i]),
            thresholds.neurons[i],
          ]),
      ),
  );
  return (...parts) => found.get(key(...parts)) ?? null;
}

/** A text as it is compared: in lower case, an accented letter in one spelling. */
const comparable = (text) => text.normalize("NFC").toLowerCase();

/** At most `most` matches of the typed text: neurons by site, layer, index; words by spelling. */
function search(model, typed, most = 20) {
  const text = comparable(typed.trim());
  if (!text) return [];
  const words = { targets: [], first: [], within: [] };
  for (let i = 0; i < model.words.length; i++) {
    const at = model.lower[i].indexOf(text);
    if (at < 0) continue;
    const word = model.words[i];
    const kind = at > 0 ? "within" : model.targetOf.has(word) ? "targets" : "first";
    if (words[kind].length < most) words[kind].push({ word, exact: model.lower[i] === text });
  }
  const found = [...words.targets, ...words.first].sort((a, b) => b.exact - a.exact);
  const directions = (model.directions?.name ?? [])
    .filter((name) => comparable(name).includes(text))
    .slice(0, most / 4)
    .map((direction) => ({ direction }));
  return [...neuronsTyped(model, text, most / 2), ...directions, ...found, ...words.within].slice(0, most);
}

function neuronsTyped(model, text, most) {
  const parts = /^-?(?:([a-z]+)\W*)?(\d+)(?:\D+(\d*))?$/.exec(text);
  if (!parts) return [];
  const [, site = "", layer, index = ""] = parts;
  const found = [];
  const fits = (row) =>
    (model.sites.some((name) => name.startsWith(site))
      ? model.neurons.site[row].startsWith(site)
      : /^l(ayer)?$/.test(site)) &&
    String(model.neurons.layer[row]) === layer &&
    String(model.neurons.index[row]).startsWith(index);
  for (let row = 0; row < model.names.length && found.length < most; row++)
    if (fits(row))
      found.push({ neuron: model.names[row], exact: String(model.neurons.index[row]) === index });
  return found.sort((a, b) => b.exact - a.exact);
}
