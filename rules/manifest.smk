# Stage 8: what the study consists of, file by file, so that anyone can tell whether it is whole.


rule manifest:
    """Every final file of the study with its size and checksum; `make verify` compares them."""
    input:
        script_with_modules("manifest"),
        of_study=STUDY_FILES,
        of_models=for_each_model(MODEL_FILES),
    output:
        STUDY / "manifest.json",
    log:
        STUDY / "logs/manifest.log",
    benchmark:
        STUDY / "benchmarks/manifest.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        study=config["study"],
    script:
        "../scripts/manifest.py"
