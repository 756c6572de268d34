# Sentences of a corpus, and short texts found by discrete ascent, that activate a study's objectives most.


rule read_corpus:
    """Read the corpus: the tokens that activate each neuron, group and direction most."""
    input:
        unpack(objectives_in_full),
        script_with_modules("sentences/read_corpus"),
        corpus=CORPUS or [],
        weights=frozen,
        tokenizer=tokenizer,
        candidates=MODEL / "candidates.parquet",
    output:
        sentences=MODEL / "sentences.parquet",
        summary=MODEL / "sentences_summary.parquet",
    log:
        MODEL / "logs/read_corpus.log",
    benchmark:
        MODEL / "benchmarks/read_corpus.tsv"
    # It takes long, so it starts before shorter jobs.
    priority: 10
    conda:
        "../envs/model.yaml"
    threads: ASCENT["threads"]
    resources:
        mem_mb=holding_model(4000, copies=2),
        runtime=growing(240),
        gpu=gpus(),
        device=ASCENT["device"],
    params:
        singles=studied_singles,
        sizes=sizes_by_scope,
        reading=READING,
        top=STATISTICS["best_sentences"],
        drawn=NULLS["sentences"],
        seed=config["seed"],
    script:
        "../scripts/sentences/read_corpus.py"


rule null_model_sentences:
    """Read the drawn sentences with a null model: some replicates, the neurons that they ascended on."""
    input:
        script_with_modules("sentences/null_model_sentences"),
        corpus=CORPUS or [],
        weights=null_weights,
        tokenizer=tokenizer,
        candidates=MODEL / "candidates.parquet",
        optima=MODEL / "nulls/singles-{null}-{batch}.parquet",
    output:
        table=MODEL / "nulls/sentences-{null}-{batch}.parquet",
    log:
        MODEL / "logs/null_model_sentences-{null}-{batch}.log",
    benchmark:
        MODEL / "benchmarks/null_model_sentences-{null}-{batch}.tsv"
    conda:
        "../envs/model.yaml"
    threads: ASCENT["threads"]
    resources:
        mem_mb=holding_model(4000, copies=2),
        runtime=growing(240),
        gpu=gpus(),
        device=ASCENT["device"],
    params:
        replicates=replicates_of_batch,
        reading=READING,
        drawn=NULLS["sentences"],
        seed=config["seed"],
    script:
        "../scripts/sentences/null_model_sentences.py"


rule ascend_texts:
    """Find texts of so many tokens by discrete ascent: one batch of the study's objectives."""
    input:
        unpack(objectives_in_full),
        script_with_modules("sentences/ascend_texts"),
        weights=frozen,
        tokenizer=tokenizer,
        candidates=MODEL / "candidates.parquet",
    output:
        table=MODEL / "ascent/texts/{tokens}-{batch}.parquet",
    log:
        MODEL / "logs/ascend_texts-{tokens}-{batch}.log",
    benchmark:
        MODEL / "benchmarks/ascend_texts-{tokens}-{batch}.tsv"
    # These jobs take long, so they start before shorter ones.
    priority: 10
    conda:
        "../envs/model.yaml"
    threads: ASCENT["threads"]
    resources:
        mem_mb=holding_model(4000, copies=2),
        runtime=growing(240),
        gpu=gpus(),
        device=ASCENT["device"],
    params:
        singles=studied_singles,
        sizes=sizes_by_scope,
        reading=READING,
        settings={key: value for key, value in TEXTS.items() if key not in ("tokens", "per_job")},
        per_job=TEXTS["per_job"],
        seed=config["seed"],
    script:
        "../scripts/sentences/ascend_texts.py"


rule collect_texts:
    """Collect the texts of all lengths and objectives in one table."""
    input:
        script_with_modules("sentences/collect_texts"),
        batches=text_batches,
    output:
        table=MODEL / "texts.parquet",
    log:
        MODEL / "logs/collect_texts.log",
    benchmark:
        MODEL / "benchmarks/collect_texts.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    script:
        "../scripts/sentences/collect_texts.py"
