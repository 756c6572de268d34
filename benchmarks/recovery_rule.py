"""Predict how often words are recovered, before any ascent, and compare with finished studies.

For every group of a study and of its null models: the direction that the words' activations give (ridge
regression), how far a few gradients at starts go along it, and what these let expect. Writes a table per
model and replicate to results/benchmarks/recovery_rule, then the page docs/recovery.md with its figure.
"""

import argparse
import logging
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import yaml
from safetensors.numpy import load_file

import recovery_page
from textualization.analysis.prediction import agreement, chances, linear_cosine
from textualization.analysis.selection import neuron_tuples, strongest_neurons
from textualization.ascent.objectives import mean_of
from textualization.ascent.starts import deviation
from textualization.directions import mean_word_gradient, ridge
from textualization.draws import generator
from textualization.files import write_text
from textualization.models.model import Model
from textualization.models.null_models import derive
from textualization.models.word_activations import all_taps, word_activations

#: Exponents of the agreement that are compared; 1 is the rule without a fitted number.
POWERS = (1.0, 1.5, 2.0, 2.5, 3.0)
#: Share of the words that the direction is fitted on; the others measure its R².
FITTED = 0.75
#: Random directions per group.
DRAWS = 8
#: Objectives whose gradients are computed together.
BATCH = 64


def main(
    studies, models, kinds, words, starts, sizes, targets, replicates, threads, along, out, page
) -> None:
    torch.set_num_threads(threads)
    logging.basicConfig(level=logging.WARNING)
    out = Path(out)
    for study in map(Path, studies):
        settings = yaml.safe_load((study / "config.yaml").read_text(encoding="utf-8"))
        for name in models or settings["models"]:
            for source in sources(study, name, kinds, replicates):
                path = out / f"{study.name}-{name}-{source[0]}-{source[1]}.csv"
                if path.exists():
                    continue
                began = time.perf_counter()
                table = predicted(study, name, settings, source, words, starts, sizes, targets)
                write_text(table.to_csv(index=False, float_format="%.5g"), path)
                print(f"{path}: {time.perf_counter() - began:.0f} s", flush=True)
    recovery_page.main(sorted(out.glob("*.csv")), along, page)


def sources(study: Path, name: str, kinds, replicates: int | None) -> list[tuple[str, int]]:
    """The model and the replicates of its null models that have groups."""
    found = [("model", 0)] if "model" in kinds else []
    for path in sorted((study / name / "nulls").glob("groups-*.parquet")):
        nulls = pd.read_parquet(path, columns=["null", "draw"]).drop_duplicates()
        found += [
            (null, int(draw))
            for null, draw in nulls.itertuples(index=False)
            if null in kinds and (replicates is None or draw < replicates)
        ]
    return found


def predicted(study, name, settings, source, words, starts, sizes, targets) -> pd.DataFrame:
    """A row per group of the model or of a replicate: what became of it, and what was to be expected."""
    folder, seed = study / name, settings["seed"]
    candidates = pd.read_parquet(folder / "candidates.parquet")
    reference = pd.read_parquet(folder / "nulls/reference.parquet")["id"].to_numpy()
    ids = pd.read_parquet(folder / "targets.parquet").set_index("word")["id"]
    groups = found_groups(folder, source, sizes, targets)
    model = opened(study, name, settings, source, candidates)
    taps = all_taps(model.transformer(), settings["groups"]["sites"])
    names = groups["word"].unique()
    own = word_activations(model.transformer(), ids[names].to_numpy(), taps)
    own = np.concatenate([own[tap] for tap in taps], axis=1)
    own = dict(zip(names, own, strict=True))
    among = further(seed, candidates, np.concatenate([reference, ids]), words - len(reference))
    among = np.concatenate([reference, among])
    a = read_activations(folder, source, model, taps, among)
    chosen = members(folder, source, model, taps, groups, own, a[: len(reference)])
    target_activation = np.array(
        [own[word][rows].mean() for word, rows in zip(groups["word"], chosen, strict=True)]
    )
    error = np.abs(target_activation - groups["word_activation"]).max()
    if error > 1e-3 * np.abs(target_activation).max():
        raise ValueError(f"{folder}, {source}: groups differ from those ascended on ({error:.2g})")
    neurons = a.shape[1]
    activations = np.stack([a[:, rows].mean(axis=1) for rows in chosen], axis=1).astype(float)
    del a
    scale = settings["ascent"]["init"]["scale"]
    found = expected(
        model,
        seed,
        source,
        taps=taps,
        chosen=chosen,
        neurons=neurons,
        among=among,
        activations=activations,
        targets=ids[groups["word"]].to_numpy(),
        scale=scale,
        starts=starts,
    )
    return groups.assign(
        study=study.name,
        model=name,
        site="+".join(settings["groups"]["sites"]),
        null=source[0],
        replicate=source[1],
        solver=f"{settings['ascent']['solver']}, {settings['ascent']['groups']['steps']} steps",
        neurons=neurons,
        **found,
        activation=(activations <= target_activation).all(axis=0).astype(float),
    )


def expected(
    model: Model, seed, source, *, taps, chosen, neurons, among, activations, targets, scale, starts
) -> dict[str, np.ndarray]:
    """What is known of n groups before an ascent, and what it lets expect: (n,) by column.

    chosen: the columns of each group's neurons among those of all taps. neurons: the number that they
    were chosen from. activations: of the groups by the words `among`, (words, n). targets: ids of the
    groups' words. scale: that of x₀. starts: their number.
    """
    direction, linearity = fitted(seed, model.embeddings[among].astype(float), activations)
    at_start, at_mean = gradients(model, seed, scale, source, taps, chosen, starts)
    agreed = np.clip(agreement(direction, at_start), 0, 1)
    alone = np.clip(agreement(at_mean, at_start), 0, 1)
    entries = np.flatnonzero(model.candidates)
    where = np.searchsorted(entries, targets)
    e, draw = model.embeddings[entries], generator(seed, "recovery rule", *source)
    shares = np.stack(
        [np.ones(len(chosen)), np.sqrt(np.clip(linearity, 0, 1)), *(agreed**p for p in POWERS)]
    )
    names = ["ridge", "linearity", *(f"rule_{p:g}" for p in POWERS)]
    columns = dict(zip(names, chances(direction, shares, where, e, DRAWS, draw), strict=True))
    closed = [linear_cosine(len(rows), neurons, model.embeddings.shape[1]) for rows in chosen]
    columns["closed_form"] = chances(e[where], np.array([closed]), where, e, DRAWS, draw)[0]
    columns["gradient"] = chances(at_mean, alone[None], where, e, DRAWS, draw)[0]
    columns |= {"r2": linearity, "agreement": agreed, "gradient_agreement": alone}
    return columns | {"cosine_ridge": cosine(direction, e[where])}


def found_groups(folder: Path, source, sizes, targets) -> pd.DataFrame:
    """The groups' outcomes: one row per word, selection and size."""
    columns = ["word", "selection", "size", "restart", "scope", "recovered", "target_cosine"]
    columns += ["activation", "ceiling", "word_activation"]
    if source[0] == "model":
        groups = pd.read_parquet(folder / "groups.parquet", columns=columns)
    else:
        paths = (folder / "nulls").glob(f"groups-{source[0]}-*.parquet")
        groups = pd.concat([pd.read_parquet(path) for path in paths])
        groups = groups[(groups["null"] == source[0]) & (groups["draw"] == source[1])][columns]
    kept = (groups["scope"] == "model") & (groups["restart"] == 0)
    kept &= True if sizes is None else groups["size"].isin(sizes)
    kept &= True if targets is None else groups["word"].isin(groups["word"].unique()[:targets])
    groups = groups[kept].drop(columns=["scope", "restart"]).reset_index(drop=True)
    groups["share_of_ceiling"] = groups["activation"] / groups["ceiling"]
    return groups.astype({"recovered": float})


def opened(study: Path, name: str, settings, source, candidates) -> Model:
    """The model or a replicate of a null model, derived again if its weights were deleted."""
    (weights,) = (study.parent / "_models").glob(f"{name}-*")
    null, replicate = source
    if null == "model":
        return Model.open(weights / "frozen.safetensors", candidates)
    path = weights / f"nulls/{null}-{settings['seed']}-{replicate}.safetensors"
    if path.exists():
        return Model.open(path, candidates)
    whole = Model.open(weights / "frozen.safetensors", candidates)
    tensors = load_file(weights / "frozen.safetensors")
    tensors = derive(null, tensors, whole.facts, settings["seed"], replicate)
    tensors = {key: torch.from_numpy(np.asarray(tensor)) for key, tensor in tensors.items()}
    return Model(tensors, whole.facts, candidates)


def further(seed: int, candidates, without, count: int) -> np.ndarray:
    """Ids of `count` more candidate words, drawn."""
    left = np.setdiff1d(np.flatnonzero(candidates["candidate"]), without)
    return generator(seed, "recovery rule", "words").permutation(left)[: max(count, 0)]


def read_activations(folder: Path, source, model: Model, taps, ids) -> np.ndarray:
    """All neurons' activations by some words, (words, neurons), float32; the model's from the study."""
    if source[0] != "model":
        found = word_activations(model.transformer(), ids, taps)
        return np.concatenate([found[tap] for tap in taps], axis=1)
    order = np.argsort(ids)
    parts = []
    for tap in taps:
        stored = np.load(folder / f"activations/{tap.site}.npy", mmap_mode="r")[tap.layer - 1]
        part = np.empty((len(ids), stored.shape[1]), np.float32)
        part[order] = stored[ids[order]]
        parts.append(part)
    return np.concatenate(parts, axis=1)


def members(folder: Path, source, model: Model, taps, groups, own, reference) -> list[np.ndarray]:
    """The columns of each group's neurons, among those of `read_activations`."""
    pool = pd.concat([model.neurons(site) for site in dict.fromkeys(t.site for t in taps)])
    pool = pool.reset_index(drop=True)
    largest, order = groups["size"].max(), {}
    places = {neuron: place for place, neuron in enumerate(neuron_tuples(pool))}
    over = {"max": reference.max(axis=0), "mean": reference.mean(axis=0)}
    pool = pool.assign(**over, std=reference.std(axis=0))
    for selection in groups["selection"].unique():
        if source[0] == "model":
            ranked = pd.read_parquet(folder / f"groups/{selection}-model.parquet")
            ranked = ranked[ranked["rank"] <= largest].sort_values("rank")
            for word, ranks in ranked.groupby("word", observed=True):
                order[selection, word] = np.array([places[n] for n in neuron_tuples(ranks)])
        else:
            for word, activation in own.items():
                order[selection, word] = strongest_neurons(selection, activation, pool, largest)
    return [order[row.selection, row.word][: row.size] for row in groups.itertuples()]


def fitted(seed: int, e: np.ndarray, activations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every group's direction among words by ridge regression, and its R² on words left out."""
    order = generator(seed, "recovery rule", "held out").permutation(len(e))
    told, judged = np.split(order, [round(FITTED * len(e))])
    direction = ridge(e[told], activations[told])
    said = cosine_matrix(e[judged], direction)
    r2 = [np.corrcoef(said[:, i], activations[judged, i])[0, 1] for i in range(len(direction))]
    return direction, np.maximum(r2, 0) ** 2


def gradients(model: Model, seed: int, scale, source, taps, chosen, starts: int):
    """Every group's gradients at starts of ascents, (starts, groups, H), and at the mean word."""
    widths = np.cumsum([0, *(model.units(tap) for tap in taps)])
    transformer, e = model.transformer(), model.embeddings.astype(np.float64)
    at_start, at_mean = [], []
    scale = deviation(scale, e)
    root = np.linalg.cholesky(e.T @ e + 1e-9 * np.trace(e.T @ e) / len(e.T) * np.eye(len(e.T)))
    draw = generator(seed, "recovery rule", "starts", *source)
    for first in range(0, len(chosen), BATCH):
        of = [
            [
                (*taps[tap], int(place - widths[tap]))
                for place, tap in zip(rows, np.searchsorted(widths, rows, "right") - 1, strict=True)
            ]
            for rows in chosen[first : first + BATCH]
        ]
        objectives = mean_of(of, transformer)
        at_mean.append(mean_word_gradient(model, objectives))
        # x₀E of normal x₀ is normal with the covariance EᵀE.
        inputs = scale * draw.standard_normal((starts, len(of), len(root))) @ root.T
        found = [
            objectives.value_and_gradient(transformer, torch.from_numpy(at).float())[1].numpy()
            for at in inputs
        ]
        at_start.append(np.stack(found))
    return np.concatenate(at_start, axis=1).astype(float), np.concatenate(at_mean)


def cosine_matrix(one, other) -> np.ndarray:
    """Cosines of all rows with all rows."""
    one, other = (x / np.linalg.norm(x, axis=1, keepdims=True).clip(1e-30) for x in (one, other))
    return one @ other.T


def cosine(one, other) -> np.ndarray:
    """Cosines of rows with rows."""
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return (one * other).sum(axis=1) / lengths.clip(1e-30)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("studies", nargs="*", help="folders of finished studies")
    parser.add_argument("--models", nargs="+", help="names of models; all of a study if not given")
    parser.add_argument(
        "--words", type=int, default=2000, help="words that directions are fitted on"
    )
    parser.add_argument("--kinds", nargs="+", default=list(recovery_page.KINDS))
    parser.add_argument(
        "--targets", type=int, help="words of a source, its first; all if not given"
    )
    parser.add_argument("--starts", type=int, default=2, help="starts at which gradients are taken")
    parser.add_argument("--sizes", type=int, nargs="+", help="group sizes; all if not given")
    parser.add_argument("--replicates", type=int, help="of every null model; all if not given")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--along", default=recovery_page.ALONG, help="optima of `explanation`")
    parser.add_argument("--out", default="results/benchmarks/recovery_rule")
    parser.add_argument("--page", default="docs/recovery.md")
    main(**vars(parser.parse_args()))
