# Stage 5b: figures, as PDF (vector, embedded fonts) and PNG.


rule figure_singles:
    """Cosine to the nearest word and utilisation of single neurons, by layer."""
    input:
        script_with_modules("figure_singles"),
        singles=MODEL / "singles.parquet",
        summary=MODEL / "tables/singles.csv",
    output:
        **figure("singles"),
    log:
        MODEL / "logs/figure_singles.log",
    benchmark:
        MODEL / "benchmarks/figure_singles.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        paper=PAPER,
    script:
        "../scripts/figure_singles.py"


rule figure_recovery:
    """Recovery against group size, the model and its nulls, with the paper's band."""
    input:
        script_with_modules("figure_recovery"),
        recovery=MODEL / "tables/recovery.csv",
        nulls=MODEL / "tables/nulls_groups.csv",
    output:
        **figure("recovery"),
    log:
        MODEL / "logs/figure_recovery.log",
    benchmark:
        MODEL / "benchmarks/figure_recovery.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        paper=PAPER,
        scope="model",
    script:
        "../scripts/figure_recovery.py"


rule figure_cosine:
    """Cosine of group optima to their target word, against group size."""
    input:
        script_with_modules("figure_cosine"),
        recovery=MODEL / "tables/recovery.csv",
    output:
        **figure("cosine"),
    log:
        MODEL / "logs/figure_cosine.log",
    benchmark:
        MODEL / "benchmarks/figure_cosine.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        scope="model",
    script:
        "../scripts/figure_cosine.py"


rule figure_selections:
    """Relative against absolute selection: difference in recovery, shared neurons."""
    input:
        script_with_modules("figure_selections"),
        selections=MODEL / "tables/selections.csv",
    output:
        **figure("selections"),
    log:
        MODEL / "logs/figure_selections.log",
    benchmark:
        MODEL / "benchmarks/figure_selections.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        scope="model",
    script:
        "../scripts/figure_selections.py"


rule figure_projection:
    """Optima among the word embeddings, and the share that lies where words lie."""
    input:
        script_with_modules("figure_projection"),
        weights=frozen,
        words=MODEL / "candidates.parquet",
        singles=MODEL / "singles_embeddings.npy",
        groups=MODEL / "groups_embeddings.npy",
        group_table=MODEL / "groups.parquet",
    output:
        **figure("projection"),
    log:
        MODEL / "logs/figure_projection.log",
    benchmark:
        MODEL / "benchmarks/figure_projection.tsv"
    conda:
        "../envs/analysis.yaml"
    resources:
        mem_mb=growing(3000),
        runtime=growing(30),
    params:
        directions=STATISTICS["leading_directions"],
        seed=config["seed"],
    script:
        "../scripts/figure_projection.py"


rule figure_curves:
    """Activation along the ascent, as a share of its ceiling."""
    input:
        script_with_modules("figure_curves"),
        singles=MODEL / "singles.parquet",
        single_curves=MODEL / "singles_curves.parquet",
        groups=MODEL / "groups.parquet",
        group_curves=MODEL / "groups_curves.parquet",
    output:
        **figure("curves"),
    log:
        MODEL / "logs/figure_curves.log",
    benchmark:
        MODEL / "benchmarks/figure_curves.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    script:
        "../scripts/figure_curves.py"


rule figure_thresholds:
    """Group sizes at which words come back, word by word too, beside nulls and the paper's band."""
    input:
        script_with_modules("figure_thresholds"),
        thresholds=MODEL / "tables/thresholds.csv",
        by_word=MODEL / "tables/thresholds_by_word.csv",
        nulls=MODEL / "tables/nulls_groups.csv",
    output:
        **figure("thresholds"),
    log:
        MODEL / "logs/figure_thresholds.log",
    benchmark:
        MODEL / "benchmarks/figure_thresholds.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        paper=PAPER,
        sizes=lambda wildcards: sizes_of(wildcards.model, "model"),
        scope="model",
    script:
        "../scripts/figure_thresholds.py"


rule figure_nulls:
    """A forest plot: the excess of every headline number over each of its nulls."""
    input:
        script_with_modules("figure_nulls"),
        claims=STUDY / "claims.csv",
    output:
        **figure("nulls"),
    log:
        MODEL / "logs/figure_nulls.log",
    benchmark:
        MODEL / "benchmarks/figure_nulls.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    script:
        "../scripts/figure_nulls.py"


rule figure_utilisation:
    """What words reach of optima, and of the exact ceiling, by layer, beside nulls."""
    input:
        script_with_modules("figure_utilisation"),
        utilisation=MODEL / "tables/utilisation.csv",
    output:
        **figure("utilisation"),
    log:
        MODEL / "logs/figure_utilisation.log",
    benchmark:
        MODEL / "benchmarks/figure_utilisation.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        paper=PAPER,
        site=SINGLES["sites"][0],
    script:
        "../scripts/figure_utilisation.py"


rule figure_nearest:
    """How near to a word optima come, beside null models, starts and random vectors."""
    input:
        script_with_modules("figure_nearest"),
        singles=MODEL / "singles.parquet",
        nulls=null_batches("singles", NULLS["models"]),
        inputs=MODEL / "nulls/inputs.parquet",
    output:
        **figure("nearest"),
    log:
        MODEL / "logs/figure_nearest.log",
    benchmark:
        MODEL / "benchmarks/figure_nearest.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        paper=PAPER,
        site=SINGLES["sites"][0],
        start="start" in NULLS["inputs"],
    script:
        "../scripts/figure_nearest.py"
