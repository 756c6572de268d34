"use strict";
// Views and search: the URL fragment selects the view, and the search box leads to fragments.

const main = document.getElementById("main");
const box = document.getElementById("search");
const list = document.getElementById("found");
const said = document.getElementById("said");
let current;

/** The parts and options of the current fragment; parts that cannot be decoded stay as they are. */
function fragment() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const parts = path
    .split("/")
    .filter(Boolean)
    .map((part) => {
      try {
        return decodeURIComponent(part);
      } catch {
        return part;
      }
    });
  return [parts, Object.fromEntries(new URLSearchParams(query))];
}

const go = (parts, chosen) => (location.hash = place(parts, chosen));
const replace = (parts, chosen) => history.replaceState(null, "", place(parts, chosen));

/** The page for a fragment that does not exist. */
const missing = (text) => ({ title: "Not found", contents: [el("p", {}, text)] });

/** A page: its title, its contents, and a function to call once they are in place. */
function viewOf(model, [kind, ...rest], chosen) {
  if (kind === undefined) return overview(model, chosen);
  if (["neurons", "words", "directions"].includes(kind)) return tableView(model, kind, chosen);
  if (kind === "neuron") return neuronView(model, rest);
  if (kind === "direction") return directionView(model, rest.join("/"));
  if (kind === "word") return wordView(model, rest.join("/"), chosen);
  return missing(`There is no page “${kind}”.`);
}

async function show(focus = true) {
  const [[name = MODELS[0], ...parts], chosen] = fragment();
  if (!PACKED.has(name)) return render(missing(`No model “${name}” in this atlas.`), focus);
  const wanted = location.hash;
  const model = await openModel(name);
  if (location.hash !== wanted) return;
  current = model;
  document.querySelector("#models select").value = name;
  document.getElementById("home").href = place([name]);
  render(viewOf(model, parts, chosen), focus);
}

function render({ title, spoken, contents, ready }, focus) {
  const words = spoken ?? [title].flat().join("");
  document.title = `${words} · atlas of ${ABOUT.study}`;
  const note = ABOUT.note && el("p", { class: "prose" }, ABOUT.note);
  main.replaceChildren(el("h1", {}, title), ...[note, ...contents].filter(Boolean));
  ready?.();
  if (focus) {
    main.focus({ preventScroll: true });
    scrollTo(0, 0);
    said.textContent = words;
  }
}

// The search box: a list of matches, navigated with the arrow keys.
let found = [];
let at = -1;

function offer() {
  found = current ? search(current, box.value) : [];
  at = found.length ? 0 : -1;
  list.replaceChildren(...found.map(option));
  open(found.length > 0);
  if (box.value.trim()) said.textContent = found.length ? `${found.length} found` : "nothing found";
}

function option(item, i) {
  const kind = item.neuron ? "neuron" : item.direction ? "direction" : current.targetOf.has(item.word) ? "target word" : "word";
  const made = el(
    "li",
    { role: "option", id: `found-${i}`, "aria-selected": i === at },
    item.neuron ?? item.direction ?? asWord(item.word),
    " ",
    el("small", {}, kind),
  );
  made.addEventListener("mousedown", (event) => event.preventDefault());
  made.addEventListener("click", () => take(i));
  return made;
}

function open(whether) {
  list.hidden = !whether;
  box.setAttribute("aria-expanded", whether);
  if (whether) mark();
  else box.removeAttribute("aria-activedescendant");
}

function mark() {
  [...list.children].forEach((child, i) => child.setAttribute("aria-selected", i === at));
  box.setAttribute("aria-activedescendant", `found-${at}`);
  list.children[at]?.scrollIntoView({ block: "nearest" });
}

function take(i) {
  const { neuron, direction, word } = found[i];
  open(false);
  box.value = "";
  if (neuron) return go([current.name, "neuron", ...neuron.split("/")]);
  go(direction ? [current.name, "direction", ...direction.split("/")] : [current.name, "word", word]);
}

box.addEventListener("input", offer);
box.addEventListener("focus", () => box.value && offer());
box.addEventListener("blur", () => open(false));
box.addEventListener("keydown", (event) => {
  if (event.key === "Escape") return open(false);
  if (!found.length || list.hidden) return;
  if (event.key === "Enter") return take(at);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  at = (at + step + found.length) % found.length;
  mark();
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) return;
  event.preventDefault();
  box.focus();
});

const select = document.querySelector("#models select");
select.append(...MODELS.map((name) => el("option", {}, name)));
select.addEventListener("change", () => go([select.value]));
document.getElementById("models").hidden = MODELS.length < 2;
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // fragments select views
  main.focus();
});
document.getElementById("footer").textContent =
  `Study ${ABOUT.study}: ${ABOUT.solver} ascent, ${ABOUT.steps.singles} steps for neurons, ${ABOUT.steps.groups} for groups; ${ABOUT.read}; candidates: ${label(ABOUT.candidates)}. ${ABOUT.twins} ` +
  "Drawn with D3 and Observable Plot (ISC), tables by DataTables (MIT).";
addEventListener("hashchange", () => show());
show(false);
