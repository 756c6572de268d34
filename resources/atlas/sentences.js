"use strict";
// Sentences of a corpus and short texts, with the token that is read marked.

/** A token in its text, isolated so that right-to-left text does not reorder the text around it. */
const marked = ([, before, token, after]) =>
  el("bdi", { class: "sentence" }, before, el("mark", {}, token), after);

/**
 * The section of an objective's sentences and texts; null if the study has none. kind: singles, groups or
 * directions; at: its row; optimum: the activation of its optimum.
 */
function sentencesSection(model, kind, at, optimum, heading = "Sentences and short texts") {
  const sentences = model.sentences?.[kind]?.[at] ?? [];
  const texts = model.texts?.[kind]?.[at] ?? [];
  const share = (activation) => percent(optimum > 0 ? activation / optimum : null);
  const tables = [];
  if (sentences.length)
    tables.push(
      smallTable(
        `The tokens that activate it most, of ${model.corpus.tokens.toLocaleString("en")} in ${model.corpus.sentences.toLocaleString("en")} sentences`,
        ["place", "activation", "share of the optimum", "sentence"],
        sentences.map((row, i) => [String(i + 1), number(row[0]), share(row[0]), marked(row)]),
      ),
    );
  if (texts.length)
    tables.push(
      smallTable(
        "Short texts found by replacing words one by one",
        ["tokens", "activation", "share of the optimum", "text", "no other word is better"],
        texts.map((row) => [String(row[4]), number(row[0]), share(row[0]), marked(row), row[5] ? "yes" : "not known"]),
      ),
    );
  return tables.length ? section(heading, ...tables) : null;
}
