# The words: candidates, targets, how neurons respond to them, and which neurons a word ranks first.


rule mark_candidates:
    """Mark the vocabulary entries that may be an optimum's nearest word."""
    input:
        script_with_modules("words/mark_candidates"),
        vocabulary=MODEL / "vocabulary.parquet",
    output:
        marked=MODEL / "candidates.parquet",
    log:
        MODEL / "logs/mark_candidates.log",
    benchmark:
        MODEL / "benchmarks/mark_candidates.tsv"
    priority: 100
    localrule: True
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=500,
        runtime=10,
    params:
        candidates=config["words"]["candidates"],
    script:
        "../scripts/words/mark_candidates.py"


rule list_targets:
    """List the target words with their ids, and those that are not one entry of the vocabulary."""
    input:
        script_with_modules("words/list_targets"),
        candidates=MODEL / "candidates.parquet",
        tokenizer=tokenizer,
    output:
        targets=MODEL / "targets.parquet",
        requested=MODEL / "asked.parquet",
    log:
        MODEL / "logs/list_targets.log",
    benchmark:
        MODEL / "benchmarks/list_targets.tsv"
    priority: 100
    localrule: True
    conda:
        "../envs/model.yaml"
    resources:
        mem_mb=500,
        runtime=10,
    params:
        # A function: Snakemake would take braces in a word for a wildcard.
        words=lambda wildcards: [target["word"] for target in TARGETS],
        missing=config["missing"]["words"],
    script:
        "../scripts/words/list_targets.py"


rule read_context:
    """Tokenise the sentence around x, and check that x can be told from what is around it."""
    input:
        script_with_modules("words/read_context"),
        vocabulary=MODEL / "vocabulary.parquet",
        tokenizer=tokenizer,
    output:
        context=MODEL / "context.json",
    log:
        MODEL / "logs/read_context.log",
    benchmark:
        MODEL / "benchmarks/read_context.tsv"
    priority: 100
    localrule: True
    conda:
        "../envs/model.yaml"
    resources:
        mem_mb=500,
        runtime=10,
    params:
        # A function: Snakemake would take the braces for a wildcard.
        text=lambda wildcards: config["context"],
    script:
        "../scripts/words/read_context.py"


rule find_start:
    """Find the words at whose mean embedding all ascents start, where starts are not drawn."""
    input:
        script_with_modules("words/find_start"),
        candidates=MODEL / "candidates.parquet",
        tokenizer=tokenizer,
    output:
        start=MODEL / "start.parquet",
    log:
        MODEL / "logs/find_start.log",
    benchmark:
        MODEL / "benchmarks/find_start.tsv"
    priority: 100
    localrule: True
    conda:
        "../envs/model.yaml"
    resources:
        mem_mb=500,
        runtime=10,
    params:
        # A function: Snakemake would take braces in a word for a wildcard.
        start_at=lambda wildcards: ASCENT["start"],
        missing=config["missing"]["words"],
    script:
        "../scripts/words/find_start.py"


rule word_activations:
    """Run every vocabulary entry w as `[CLS] w [SEP]`; keep each neuron's activation at w."""
    input:
        script_with_modules("words/word_activations"),
        **IN_CONTEXT,
        weights=frozen,
        vocabulary=MODEL / "vocabulary.parquet",
    output:
        # (layers, words, neurons), memory-mapped: one contiguous matrix per layer.
        matrix=MODEL / "activations/{site}.npy",
    log:
        MODEL / "logs/word_activations-{site}.log",
    # --cache takes it from another checkout's results, and allows no benchmark.
    cache: True
    conda:
        "../envs/model.yaml"
    threads: config["activations"]["threads"]
    resources:
        mem_mb=holding_model(6000, copies=2),
        runtime=growing(60),
        gpu=gpus(),
        # These change results by rounding only, so a new value re-runs nothing.
        device=ASCENT["device"],
        words_per_pass=config["activations"]["words_per_pass"],
    params:
        # A parameter too: --cache identifies results by their parameters.
        site=lambda wildcards: wildcards.site,
        reading=READING,
    script:
        "../scripts/words/word_activations.py"


rule neuron_summaries:
    """Summarise each neuron over the candidate words: maximum, means, deviation, top words."""
    input:
        script_with_modules("words/neuron_summaries"),
        activations=MODEL / "activations/{site}.npy",
        candidates=MODEL / "candidates.parquet",
    output:
        summaries=MODEL / "neurons-{site}.parquet",
    log:
        MODEL / "logs/neuron_summaries-{site}.log",
    benchmark:
        MODEL / "benchmarks/neuron_summaries-{site}.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=growing(4000),
        runtime=growing(30),
    script:
        "../scripts/words/neuron_summaries.py"


rule rank_neurons:
    """Rank the neurons for every target word by one selection; a group is the first k."""
    input:
        script_with_modules("words/rank_neurons"),
        activations=of_sites("activations/{site}.npy", GROUPS),
        summaries=lambda wildcards: (
            []  # absolute selection looks at no other word
            if wildcards.selection == "absolute"
            else expand(of_sites("neurons-{site}.parquet", GROUPS), model=wildcards.model)
        ),
        targets=MODEL / "targets.parquet",
    output:
        ranking=MODEL / "groups/{selection}-{scope}.parquet",
    log:
        MODEL / "logs/rank_neurons-{selection}-{scope}.log",
    benchmark:
        MODEL / "benchmarks/rank_neurons-{selection}-{scope}.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=growing(3000),
        runtime=growing(15),
    params:
        sites=GROUPS["sites"],
    script:
        "../scripts/words/rank_neurons.py"
