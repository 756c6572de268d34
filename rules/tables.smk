# Stage 5a: tables for the paper, as CSV, Markdown and LaTeX.


rule table_singles:
    """Single neurons by layer: nearest cosine, utilisation, share of the ceiling, with intervals."""
    input:
        script_with_modules("table_singles"),
        singles=MODEL / "singles.parquet",
        weights=frozen,
    output:
        **table("singles"),
    log:
        MODEL / "logs/table_singles.log",
    benchmark:
        MODEL / "benchmarks/table_singles.tsv"
    localrule: True
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
    localrule: True
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
        by_word=MODEL / "tables/thresholds_by_word.csv",
    log:
        MODEL / "logs/table_thresholds.log",
    benchmark:
        MODEL / "benchmarks/table_thresholds.tsv"
    localrule: True
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
    localrule: True
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
    localrule: True
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
    localrule: True
    conda:
        "../envs/analysis.yaml"
    script:
        "../scripts/table_words.py"


rule table_utilisation:
    """Utilisation and shares of the exact ceiling by layer, the model beside null models."""
    input:
        script_with_modules("table_utilisation"),
        singles=MODEL / "singles.parquet",
        nulls=null_batches("singles", NULLS["models"]),
        weights=frozen,
    output:
        **table("utilisation"),
    log:
        MODEL / "logs/table_utilisation.log",
    benchmark:
        MODEL / "benchmarks/table_utilisation.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        confidence=STATISTICS["confidence"],
        resamples=STATISTICS["resamples"],
        seed=config["seed"],
    script:
        "../scripts/table_utilisation.py"


rule table_nulls_singles:
    """Single neurons beside their nulls: the excess with its interval, test and effect size."""
    input:
        script_with_modules("table_nulls_singles"),
        singles=MODEL / "singles.parquet",
        null_singles=null_batches("singles", NULLS["models"]),
        null_inputs=MODEL / "nulls/inputs.parquet",
        activations=MODEL / f"activations/{SINGLES['sites'][0]}.npy",
        reference=MODEL / "nulls/reference.parquet",
        candidates=MODEL / "candidates.parquet",
        weights=frozen,
    output:
        **table("nulls_singles"),
    log:
        MODEL / "logs/table_nulls_singles.log",
    benchmark:
        MODEL / "benchmarks/table_nulls_singles.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=growing(3000),
        runtime=growing(60),
    params:
        # As in the claims: the single neurons of the first of the study's sites.
        site=SINGLES["sites"][0],
        start="start" in NULLS["inputs"],
        confidence=STATISTICS["confidence"],
        resamples=STATISTICS["resamples"],
        permutations=STATISTICS["permutations"],
        seed=config["seed"],
    script:
        "../scripts/table_nulls_singles.py"


rule table_nulls_groups:
    """Groups beside their nulls: the excess with its interval, test and effect size."""
    input:
        script_with_modules("table_nulls_groups"),
        groups=MODEL / "groups.parquet",
        null_groups=null_batches("groups", NULLS["models"] + CLIMBED),
    output:
        **table("nulls_groups"),
    log:
        MODEL / "logs/table_nulls_groups.log",
    benchmark:
        MODEL / "benchmarks/table_nulls_groups.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=growing(1500),
        runtime=growing(60),
    params:
        objectives=NULLS["objectives"],
        draws=NULLS["draws"],
        levels=STATISTICS["thresholds"],
        confidence=STATISTICS["confidence"],
        resamples=STATISTICS["resamples"],
        permutations=STATISTICS["permutations"],
        seed=config["seed"],
    script:
        "../scripts/table_nulls_groups.py"


rule table_robustness:
    """The answers under other metrics and candidate vocabularies, with what chance gives."""
    input:
        script_with_modules("table_robustness"),
        singles=MODEL / "singles.parquet",
        single_embeddings=MODEL / "singles_embeddings.npy",
        groups=MODEL / "groups.parquet",
        group_embeddings=MODEL / "groups_embeddings.npy",
        words=MODEL / "candidates.parquet",
        weights=frozen,
    output:
        **table("robustness"),
    log:
        MODEL / "logs/table_robustness.log",
    benchmark:
        MODEL / "benchmarks/table_robustness.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=growing(6000),
        runtime=growing(60),
    params:
        candidates=config["words"]["candidates"],
        leading=STATISTICS["removed_directions"],
        confidence=STATISTICS["confidence"],
        resamples=STATISTICS["resamples"],
        seed=config["seed"],
    script:
        "../scripts/table_robustness.py"


rule table_strata:
    """Recovery by category and frequency of the words; kinds of nearest entries; outlier neurons."""
    input:
        script_with_modules("table_strata"),
        singles=MODEL / "singles.parquet",
        embeddings=MODEL / "singles_embeddings.npy",
        groups=MODEL / "groups.parquet",
        summaries=expand(
            MODEL / "neurons-{site}.parquet", site=SINGLES["sites"], allow_missing=True
        ),
        words=MODEL / "candidates.parquet",
        weights=frozen,
    output:
        **table("strata"),
    log:
        MODEL / "logs/table_strata.log",
    benchmark:
        MODEL / "benchmarks/table_strata.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=growing(6000),
        runtime=growing(60),
    params:
        targets=lambda wildcards: TARGETS,
        confidence=STATISTICS["confidence"],
        resamples=STATISTICS["resamples"],
        seed=config["seed"],
    script:
        "../scripts/table_strata.py"


rule table_variance:
    """How much of the spread is layer or word, neuron, draw of weights, start."""
    input:
        script_with_modules("table_variance"),
        singles=MODEL / "singles.parquet",
        groups=MODEL / "groups.parquet",
        null_singles=null_batches("singles", NULLS["models"]),
        null_groups=null_batches("groups", NULLS["models"]),
    output:
        **table("variance"),
    log:
        MODEL / "logs/table_variance.log",
    benchmark:
        MODEL / "benchmarks/table_variance.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    script:
        "../scripts/table_variance.py"
