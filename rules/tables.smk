# Stage 5a: tables for the paper, as CSV, Markdown and LaTeX.


rule table_singles:
    """Single neurons by layer: nearest cosine, utilisation, share of the ceiling, with intervals."""
    input:
        script_with_modules("table_singles"),
        singles=MODEL / "singles.parquet",
    output:
        **table("singles"),
    log:
        MODEL / "logs/table_singles.log",
    benchmark:
        MODEL / "benchmarks/table_singles.tsv"
    conda:
        "../envs/analysis.yaml"
    params:
        confidence=STATISTICS["confidence"],
        resamples=STATISTICS["resamples"],
        seed=config["seed"],
    script:
        "../scripts/table_singles.py"


rule table_recovery:
    """How often a group's optimum is closest to its word, by selection and size, with intervals."""
    input:
        script_with_modules("table_recovery"),
        groups=MODEL / "groups.parquet",
    output:
        **table("recovery"),
    log:
        MODEL / "logs/table_recovery.log",
    benchmark:
        MODEL / "benchmarks/table_recovery.tsv"
    conda:
        "../envs/analysis.yaml"
    params:
        confidence=STATISTICS["confidence"],
        resamples=STATISTICS["resamples"],
        seed=config["seed"],
    script:
        "../scripts/table_recovery.py"


rule table_thresholds:
    """The group sizes at which words come back in 50, 67 and 95 % of cases, with intervals."""
    input:
        script_with_modules("table_thresholds"),
        groups=MODEL / "groups.parquet",
    output:
        **table("thresholds"),
    log:
        MODEL / "logs/table_thresholds.log",
    benchmark:
        MODEL / "benchmarks/table_thresholds.tsv"
    conda:
        "../envs/analysis.yaml"
    params:
        levels=STATISTICS["thresholds"],
        confidence=STATISTICS["confidence"],
        resamples=STATISTICS["resamples"],
        seed=config["seed"],
    script:
        "../scripts/table_thresholds.py"


rule table_selections:
    """Relative against absolute selection: paired difference in recovery, overlap of neurons."""
    input:
        script_with_modules("table_selections"),
        groups=MODEL / "groups.parquet",
        rankings=rankings,
    output:
        **table("selections"),
    log:
        MODEL / "logs/table_selections.log",
    benchmark:
        MODEL / "benchmarks/table_selections.tsv"
    conda:
        "../envs/analysis.yaml"
    params:
        confidence=STATISTICS["confidence"],
        resamples=STATISTICS["resamples"],
        seed=config["seed"],
    script:
        "../scripts/table_selections.py"


rule table_neurons:
    """Example neurons: what their optimum is near, and which words excite them most."""
    input:
        script_with_modules("table_neurons"),
        singles=MODEL / "singles.parquet",
    output:
        **table("neurons"),
    log:
        MODEL / "logs/table_neurons.log",
    benchmark:
        MODEL / "benchmarks/table_neurons.tsv"
    conda:
        "../envs/analysis.yaml"
    script:
        "../scripts/table_neurons.py"


rule table_words:
    """Every target word: the words nearest to its groups' optima at each size."""
    input:
        script_with_modules("table_words"),
        groups=MODEL / "groups.parquet",
    output:
        **table("words"),
    log:
        MODEL / "logs/table_words.log",
    benchmark:
        MODEL / "benchmarks/table_words.tsv"
    conda:
        "../envs/analysis.yaml"
    script:
        "../scripts/table_words.py"
