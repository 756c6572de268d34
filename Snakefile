"""What does a neuron, or a group of neurons, want to read? (arXiv 2311.08240) Each include is a stage."""


include: "rules/common/library.smk"


configfile: ROOT / "src/textualization/models/catalogue.yaml"
configfile: ROOT / "config/config.yaml"


# Shared by all stages, then the stages in order.
include: "rules/common/checks.smk"
include: "rules/common/paths.smk"
include: "rules/common/jobs.smk"
include: "rules/common/experiment_paths.smk"
include: "rules/common/direction_paths.smk"
include: "rules/common/sentence_paths.smk"
include: "rules/common/resources.smk"
include: "rules/common/report.smk"
include: "rules/model.smk"
include: "rules/words.smk"
include: "rules/ascent.smk"
include: "rules/twins.smk"
include: "rules/nulls.smk"
include: "rules/directions.smk"
include: "rules/explanation.smk"
include: "rules/sentences.smk"
include: "rules/tables.smk"
include: "rules/figures.smk"
include: "rules/experiments.smk"
include: "rules/experiment_results.smk"
include: "rules/atlas.smk"
include: "rules/comparison.smk"
include: "rules/claims.smk"


report: "report/workflow.rst"


rule all:
    """Make the whole study: claims, findings, atlas, provenance; every model's tables and figures."""
    default_target: True
    input:
        STUDY_FILES,
        for_each_model(MODEL_FILES),
        STUDY / "manifest.json",
