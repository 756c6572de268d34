# Stage 1: what every word does to every neuron.


rule word_activations:
    """Run `[CLS] w [SEP]` for every vocabulary entry w; keep each neuron's activation at w."""
    input:
        script_with_modules("word_activations"),
        weights=frozen,
        vocabulary=MODEL / "vocabulary.parquet",
    output:
        # To be memory-mapped: (layers, words, neurons), one contiguous matrix per layer.
        MODEL / "activations/{site}.npy",
    log:
        MODEL / "logs/word_activations-{site}.log",
    # Taken from another checkout's results with --cache; no benchmark then.
    cache: True
    conda:
        "../envs/model.yaml"
    threads: config["activations"]["threads"]
    resources:
        mem_mb=holding_model(6000, copies=2),
        runtime=growing(60),
        gpu=gpus(),
        # How, not what: neither changes a result beyond rounding, so neither re-runs anything.
        device=ASCENT["device"],
        words_per_pass=config["activations"]["batch"],
    params:
        site=lambda wildcards: wildcards.site,
        read=config["read"],
    script:
        "../scripts/word_activations.py"


rule neuron_summaries:
    """Per neuron, over the candidate words: maximum, means, deviation, most exciting words."""
    input:
        script_with_modules("neuron_summaries"),
        activations=MODEL / "activations/{site}.npy",
        candidates=MODEL / "candidates.parquet",
    output:
        MODEL / "neurons-{site}.parquet",
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
        "../scripts/neuron_summaries.py"
