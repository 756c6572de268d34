"""Faults of settings that no schema can express: unknown names, numbers that do not fit together."""

from study.config import corpus, direction_sets, experiment_sentences
from study.config.basis_settings import basis_faults
from study.config.experiments import blocks, conditions, start_of
from study.config.impossible import faults
from study.config.schema_faults import did_you_mean
from study.config.variables import DEFAULTS, wrong_values
from textualization.models.families import NAMES as FAMILIES
from textualization.models.families import unknown

#: What a study can run besides experiments: the paper's single neurons and groups, and directions.
STUDIES = ("singles", "groups", "directions")
#: Names in a study's folder that no model may have.
RESERVED = ("atlas", "benchmarks", "comparison", "corpus", "logs", "claims", "config", "findings")
RESERVED += ("found", "front", "manifest", "provenance", "report", "ro-crate-metadata")


def contradictions(settings: dict) -> list[str]:
    """List faults that a schema cannot express: unknown names, numbers that do not fit together."""
    catalogue = settings["catalogue"]
    lines = [
        f"{part}.sites: {site!r} is not among activations.sites"
        for part in ("singles", "groups")
        for site in settings[part]["sites"]
        if site not in settings["activations"]["sites"]
    ]
    lines += _equal_restarts(settings) + _experiments(settings) + corpus.faults(settings)
    if wrong := direction_sets.faults(settings):
        return [*lines, *wrong]
    for name in settings["models"]:
        if name.partition(".")[0] in RESERVED:
            lines.append(
                f"models: {name!r} is reserved for another part of a study; choose another name"
            )
        if name not in catalogue:
            lines.append(f"models: {name!r} is not in the catalogue{did_you_mean(name, catalogue)}")
            continue
        if catalogue[name]["family"] not in FAMILIES:
            lines.append(f"catalogue.{name}.family: {unknown(catalogue[name]['family'])}")
        lines += _beyond_the_model(name, catalogue[name], settings)
        lines += _experiments_beyond(name, catalogue[name], settings)
    return lines


def _equal_restarts(settings: dict) -> list[str]:
    """List restarts that would be equal, since their start is not drawn."""
    ascent = settings["ascent"]
    if ascent["start"] == "random":
        return []
    run = {"singles" if name == "directions" else name for name in settings["run"]}
    return [
        f"ascent.{subject}.restarts: {ascent[subject]['restarts']} ascents from ascent.start "
        f"{ascent['start']} would be equal (allowed: 1, or ascent.start: random)"
        for subject in ("singles", "groups")
        if subject in run and ascent[subject]["restarts"] > 1
    ]


def _experiments(settings: dict) -> list[str]:
    """List experiments that are not declared, and faults in declared ones."""
    experiments, lines = settings["experiments"], []
    for name in settings["run"]:
        known = [*STUDIES, *experiments]
        if name not in known:
            near = did_you_mean(name, known)
            lines.append(f"run: {name!r} is not {', '.join(STUDIES)} or one of experiments{near}")
    for name, experiment in experiments.items():
        if name in STUDIES:
            lines.append(f"experiments: {name!r} is a built-in name; choose another name")
            continue
        if not {"singles", "groups", "contexts"} & set(experiment):
            lines.append(f"experiments.{name}: lacks objectives (singles, groups or contexts)")
        parts = {"base": experiment.get("base", {})}
        parts |= {f"vary.{block}": varied for block, varied in blocks(experiment).items()}
        lines += [
            f"experiments.{name}.nulls.blocks: {block!r} is not a block"
            f"{did_you_mean(block, experiment['vary'])}"
            for block in experiment["nulls"].get("blocks", [])
            if block not in experiment["vary"]
        ]
        if experiment["reference"] not in blocks(experiment):
            near = did_you_mean(experiment["reference"], blocks(experiment))
            lines.append(
                f"experiments.{name}.reference: {experiment['reference']!r} is not a block{near}"
            )
        if len(parts) == 1:
            lines.append(f"experiments.{name}.vary: it has no blocks (allowed: one or more)")
        wrong = [
            f"experiments.{name}.{block}: {fault}"
            for block, varied in parts.items()
            for fault in wrong_values(varied)
        ]
        lines += wrong
        if wrong or name not in settings["run"]:
            continue
        lines += experiment_sentences.faults(name, settings)
        for block, found in conditions(experiment).items():
            for condition in found.values():
                lines += [
                    f"experiments.{name}.vary.{block}: impossible: {fault}"
                    for fault in [
                        *faults(condition, settings),
                        *_misfits(condition, experiment, settings),
                    ]
                ]
    return list(dict.fromkeys(lines))


def _misfits(condition: dict, experiment: dict, settings: dict) -> list[str]:
    """List choices of neurons and starts that do not fit an experiment's objectives."""
    full, found = DEFAULTS | condition, []
    if full["selection"] == "contrast" and set(experiment) & {"singles", "groups"}:
        found.append("selection contrast, which only groups of contexts support")
    if full["start"] == "own_word" and "contexts" in experiment:
        found.append("start own_word, which contexts do not have")
    if start_of(condition, settings) != "random":
        found += [
            f"restarts {restarts} of {kind} with a start that is not drawn would be equal; take 1"
            for kind in ("singles", "groups", "contexts")
            if (restarts := experiment.get(kind, {}).get("restarts", 1)) > 1
        ]
    if full["activations"] == "in_context" and experiment.get("groups", {}).get("of") == "targets":
        found.append("activations in_context of targets; take groups: {of: contexts}")
    if full["basis"] != "neurons" and "contexts" in experiment:
        found.append(f"basis {full['basis']} with contexts; take singles or groups")
    return found


def _beyond_the_model(name: str, shape: dict, settings: dict) -> list[str]:
    """List layers, neurons and group sizes that a model lacks; if skipped, only where none is left."""
    found = _lacking(name, shape, settings)
    if settings["missing"]["neurons"] == "stop":
        return [line for lines in found.values() for line in lines]
    singles, sizes = settings["singles"], settings["groups"]["sizes"]
    chosen = {"singles.layers": singles["layers"], "groups.sizes.model": sizes["model"]}
    lines = [
        f"{key}: {name} has none of these"
        for key, of in chosen.items()
        if of != "all" and len(found.get(key, [])) == len(of)
    ]
    if settings["directions"] and not direction_sets.sets_for(settings, shape):
        lines.append(f"directions: {name} has none of these")
    return lines


def _lacking(name: str, shape: dict, settings: dict) -> dict[str, list[str]]:
    """List, by setting, a line for each value that the model lacks."""
    lines = {}
    singles, groups = settings["singles"], settings["groups"]
    width = {"output": shape["hidden"], "intermediate": shape["intermediate"]}
    if singles["layers"] != "all":
        for layer in singles["layers"]:
            if layer > shape["layers"]:
                lines.setdefault("singles.layers", []).append(
                    f"singles.layers: {layer} is not a layer of {name} (allowed: 1 to {shape['layers']})"
                )
    if singles["neurons"] != "all":
        for site in singles["sites"]:
            if singles["neurons"] > width[site]:
                lines.setdefault("singles.neurons", []).append(
                    f"singles.neurons: {singles['neurons']} is more than the {width[site]} "
                    f"{site} neurons per layer of {name}"
                )
    for key in ("leading_directions", "removed_directions"):
        if settings["statistics"][key] >= shape["hidden"]:
            lines.setdefault(f"statistics.{key}", []).append(
                f"statistics.{key}: {settings['statistics'][key]} leaves nothing of the "
                f"{shape['hidden']} dimensions of {name}'s embeddings (allowed: fewer)"
            )
    lines |= direction_sets.lacking(name, shape, settings)
    per_layer = sum(width[site] for site in groups["sites"])
    available = {"layer": per_layer, "model": per_layer * shape["layers"]}
    for scope, sizes in groups["sizes"].items():
        for size in sizes:
            if size > available[scope]:
                lines.setdefault(f"groups.sizes.{scope}", []).append(
                    f"groups.sizes.{scope}: {size} is more than the {available[scope]} neurons "
                    f"that {name} has in scope {scope!r}"
                )
    return lines


def _experiments_beyond(name: str, shape: dict, settings: dict) -> list[str]:
    """List numbers of neurons and group sizes of requested experiments that the model lacks."""
    lines, width = [], {"output": shape["hidden"], "intermediate": shape["intermediate"]}
    for key in settings["run"]:
        experiment = settings["experiments"].get(key, {"vary": {}})
        sizes = [
            s for kind in ("groups", "contexts") for s in experiment.get(kind, {}).get("sizes", [])
        ]
        for block, found in conditions(experiment).items():
            for condition in found.values():
                full = DEFAULTS | condition
                has = width[full["site"]]
                one = experiment.get("singles", {}).get("neurons", 0)
                if one > has:
                    lines.append(
                        f"experiments.{key}.singles.neurons: {one} is more than the {has} "
                        f"{full['site']} neurons per layer of {name}"
                    )
                lines += [
                    f"experiments.{key}.vary.{block}: {fault}"
                    for fault in basis_faults(full, experiment, settings["nulls"]["words"], shape)
                ]
                has *= shape["layers"] if full["scope"] == "model" else 1
                lines += [
                    f"experiments.{key}: a group of {size} is more than the {has} {full['site']} "
                    f"neurons that {name} has in scope {full['scope']!r} (vary.{block})"
                    for size in sizes
                    if size > has
                ]
    return list(dict.fromkeys(lines))
