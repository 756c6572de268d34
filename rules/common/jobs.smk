# How a study's objectives are divided into jobs.


def ascents(subject, items):
    """Count the ascents on a layer's neurons or a size's words; `repeated` items have all restarts."""
    restarts, repeated = (ASCENT[subject][key] for key in ("restarts", "repeated"))
    return items + (items if repeated == "all" else min(repeated, items)) * (restarts - 1)


def single_batches(wildcards):
    """List the batches of single neurons, each within one layer."""
    model, neurons = wildcards.model, SINGLES["neurons"]
    widths = {site: width(model, site) for site in SINGLES["sites"]}
    studied_of = {s: w if neurons == "all" else min(neurons, w) for s, w in widths.items()}
    return [
        STUDY / model / f"ascent/singles/{site}-{layer}-{batch}.safetensors"
        for site, count in studied_of.items()
        for layer in single_layers(model)
        for batch in range(ceil(ascents("singles", count) / ASCENT["singles"]["per_job"]))
    ]


def twins_of_singles(wildcards):
    """List the twins of single neurons, a file per site."""
    return [
        STUDY / wildcards.model / f"twins/singles/{site}.safetensors" for site in SINGLES["sites"]
    ]


def group_batches(wildcards):
    """List the batches of groups, each of one selection and scope; small sizes share a job."""
    return [
        STUDY
        / wildcards.model
        / f"ascent/groups/{selection}-{scope}-{'_'.join(map(str, sizes))}-{batch}.safetensors"
        for selection in GROUPS["selections"]
        for scope in GROUPS["sizes"]
        for sizes, batches in shared_sizes(wildcards.model, scope)
        for batch in range(batches)
    ]


def shared_sizes(model, scope):
    """List the sizes of a scope as (sizes that share jobs, number of these jobs)."""
    per_job = ASCENT["groups"]["per_job"]
    of_one_size = ascents("groups", len(TARGETS))
    of_one_size *= len(layers_of(model)) if scope == "layer" else 1
    step = max(1, per_job // of_one_size)
    sizes = sizes_of(model, scope)
    chunks = [sizes[i : i + step] for i in range(0, len(sizes), step)]
    return [(chunk, ceil(of_one_size * len(chunk) / per_job)) for chunk in chunks]


def rankings(wildcards):
    """List the rankings of neurons, for each selection and scope."""
    scopes = [scope for scope in GROUPS["sizes"] if sizes_of(wildcards.model, scope)]
    return [
        STUDY / wildcards.model / f"groups/{selection}-{scope}.parquet"
        for selection in GROUPS["selections"]
        for scope in scopes
    ]


def objectives_of(wildcards):
    """Return the files that hold the optima of single neurons or of groups, and the groups' neurons."""
    if wildcards.kind == "singles":
        return {"optima": single_batches(wildcards)}
    targets = STUDY / wildcards.model / "targets.parquet"
    optima, ranked = group_batches(wildcards), rankings(wildcards)
    return {"optima": optima, "rankings": ranked, "targets": targets}


def replicates_of_batch(wildcards):
    """List the replicates of a null, from 0, that one job runs."""
    first = int(wildcards.batch) * NULLS["per_job"]
    return list(range(first, min(first + NULLS["per_job"], NULLS["replicates"])))


def weights_of(wildcards, null, replicate):
    """Return the weights of the model, or of a null model's replicate (shared by studies of a seed)."""
    if null == "model":
        return frozen(wildcards)
    return (
        weights_folder(wildcards.model) / f"nulls/{null}-{config['seed']}-{replicate}.safetensors"
    )


def null_weights(wildcards):
    """List the weights of a job's replicates of a null model."""
    return [weights_of(wildcards, wildcards.null, r) for r in replicates_of_batch(wildcards)]


def null_batches(subject, nulls):
    """List the batches of replicates of some nulls, of `singles` or `groups`."""
    return [
        MODEL / f"nulls/{subject}-{null}-{batch}.parquet"
        for null in nulls
        for batch in range(ceil(NULLS["replicates"] / NULLS["per_job"]))
    ]
