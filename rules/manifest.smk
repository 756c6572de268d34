# Stage 8: what the study consists of, file by file, so that anyone can tell whether it is whole.


rule manifest:
    """Every final file with its size and checksum, which `make verify` compares; the study as an RO-Crate."""
    input:
        script_with_modules("manifest"),
        of_study=STUDY_FILES,
        of_models=for_each_model(MODEL_FILES),
        provenance=STUDY / "provenance.json",
    output:
        manifest=STUDY / "manifest.json",
        crate=STUDY / "ro-crate-metadata.json",
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
