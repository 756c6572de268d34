# The objectives of a study that read sentences, or that texts are sought for, and their files.
TEXTS = config["texts"]
# Kinds of objectives, of which each has a table of optima.
KINDS = [*STUDIED, *(["directions"] if "directions" in SUBJECTS else [])]
# Whether the study's objectives read a corpus, and whether texts are sought for them.
READS, SEEKS_TEXTS = bool(CORPUS and KINDS), bool(TEXTS["tokens"] and KINDS)
SUBJECTS += ["sentences"] if READS or SEEKS_TEXTS else []
# What they found, as inputs of tables and of the atlas.
FOUND_TEXTS = {"sentences": MODEL / "sentences.parquet"} if READS else {}
FOUND_TEXTS |= {"texts": MODEL / "texts.parquet"} if SEEKS_TEXTS else {}
OF_CORPUS = {"summary": MODEL / "sentences_summary.parquet"} if READS else {}
if READS and "singles" in STUDIED:
    OF_CORPUS["null_sentences"] = null_batches("sentences", NULLS["models"])


def objectives_in_full(wildcards):
    """Return the files that say what the study's groups and directions are made of."""
    found = {}
    if "groups" in STUDIED:
        found["targets"] = STUDY / wildcards.model / "targets.parquet"
        found["rankings"] = rankings(wildcards)
    if "directions" in KINDS:
        found["vectors"] = of_direction_sets("directions/sets/{direction_set}.parquet")(wildcards)
    return found


def studied_singles(wildcards):
    """Return what draws a model's single neurons; None if the study has none."""
    if "singles" not in STUDIED:
        return None
    return {
        "seed": config["seed"],
        "widths": {site: width(wildcards.model, site) for site in SINGLES["sites"]},
        "layers": single_layers(wildcards.model),
        "neurons": SINGLES["neurons"],
    }


def sizes_by_scope(wildcards):
    """Return the sizes of a model's groups in every scope."""
    return {scope: sizes_of(wildcards.model, scope) for scope in GROUPS["sizes"]}


def objectives_at_most(model):
    """Count a model's objectives; fewer if words are left out."""
    count = 0
    if "singles" in STUDIED:
        drawn = SINGLES["neurons"]
        count += len(single_layers(model)) * sum(
            width(model, site) if drawn == "all" else min(drawn, width(model, site))
            for site in SINGLES["sites"]
        )
    if "groups" in STUDIED:
        layers = {"model": 1, "layer": len(layers_of(model))}
        sizes = sum(len(sizes_of(model, scope)) * layers[scope] for scope in GROUPS["sizes"])
        count += len(GROUPS["selections"]) * len(TARGETS) * sizes
    if "directions" in KINDS:
        count += sum(
            direction_sets.count_of(of) * len(layers_of_set(model, of))
            for of in direction_sets_of(model).values()
        )
    return count


def text_batches(wildcards):
    """List the batches of texts of every length."""
    batches = range(ceil(objectives_at_most(wildcards.model) / TEXTS["per_job"]))
    return [
        STUDY / wildcards.model / f"ascent/texts/{tokens}-{batch}.parquet"
        for tokens in TEXTS["tokens"]
        for batch in batches
    ]
