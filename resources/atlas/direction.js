"use strict";
// The directions of a study: a table, and the view of one, which shows what the view of a neuron shows.

/** The model as the pieces of the neuron's view read it, with directions in the place of neurons. */
function alongDirections(model) {
  const { directions, direction_nulls: nulls } = model;
  return once(model, "along", () => ({
    ...model,
    what: "direction",
    alike: "of the same set and layer",
    // Null models are compared set by set.
    neurons: { ...directions, site: directions.set },
    optima: directions,
    nulls: nulls && { ...nulls, site: nulls.set },
    scatter: undefined,
    steps: model.direction_steps,
  }));
}

const directionLink = (model, row) => {
  const name = model.directions.name[row];
  return el("a", { href: place([model.name, "direction", ...name.split("/")]) }, name);
};

function directionView(model, name) {
  const { directions } = model;
  const row = directions ? directions.name.indexOf(name) : -1;
  if (row < 0) return missing(`No direction ${name} in this atlas.`);
  const along = alongDirections(model);
  const over = `${number(directions.mean[row])} ± ${number(directions.std[row])}, at most ${number(directions.max[row])}`;
  const words = smallTable(
    "The words that activate it most",
    ["word", "activation"],
    directions.top_words[row].map((word, i) => [wordLink(model, word), number(directions.top_activations[row][i])]),
  );
  const step = (by) => (directions.name[row + by] ? directionLink(model, row + by) : "");
  return {
    title: `Direction ${name}`,
    contents: [
      el("p", {}, `Of the set ${directions.set[row]}, at ${directions.site[row]}, layer ${directions.layer[row]}.`),
      inWords(along, row, row),
      optimumOfNeuron(along, row, over),
      section("Words", el("div", { class: "columns" }, nearestWords(along, row), words)),
      sentencesSection(model, "directions", row, directions.activation[row]),
      section("What its optimum explains", ...explanationOfNeuron(along, row, row)),
      section("Compared with null models", nullsTable(along, row, row)),
      el(
        "nav",
        { class: "steps", "aria-label": "Previous and next direction" },
        el("span", {}, "Previous: ", step(-1)),
        el("span", {}, "Next: ", step(1)),
      ),
    ],
  };
}

function directionTable(model, { sort, dir }, whenSorted) {
  const { directions } = model;
  if (!directions) return null;
  const share = (row) =>
    directions.ceiling[row] ? directions.activation[row] / directions.ceiling[row] : null;
  const numbers = [
    ["cosine", "cosine to the nearest word", "", (row) => directions.nearest_cosines[row][0]],
    ["share", "optimum, share of its ceiling", "%", share],
    ["best", "best word, share of the optimum", "%", (row) => directions.utilisation_best_word[row]],
    ["explanation", "explanation", "", (row) => directions.explanation[row]],
  ];
  const rows = d3.range(directions.name.length);
  const columns = [
    { key: "direction", title: "direction", text: (row) => directionLink(model, row), number: (row) => row },
    { key: "site", title: "site", text: (row) => directions.site[row] },
    ...numbers.map(([key, title, unit, of]) => ({
      key,
      title,
      text: (row) => shown(of(row), unit),
      number: of,
    })),
    { key: "nearest", title: "nearest word", text: (row) => wordOr(model, directions.nearest_words[row][0]) },
    { key: "best_word", title: "best word", text: (row) => wordOr(model, directions.top_words[row][0]) },
  ].filter((column) => isFilled(column, rows));
  return longTable("Directions", columns, rows, [sort ?? "direction", dir], whenSorted);
}
