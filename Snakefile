"""What does a neuron, or a group of neurons, want to read?

The study of arXiv 2311.08240: each include is one stage. Settings: config/. Results: results/<study>/.
"""


include: "rules/settings.smk"


configfile: "config/config.yaml"


include: "rules/common.smk"
include: "rules/model.smk"
include: "rules/words.smk"
include: "rules/activations.smk"
include: "rules/groups.smk"
include: "rules/ascent.smk"
include: "rules/nulls.smk"
include: "rules/statistics.smk"
include: "rules/tables.smk"
include: "rules/figures.smk"
include: "rules/claims.smk"
include: "rules/atlas.smk"
include: "rules/comparison.smk"
include: "rules/sweeps.smk"
include: "rules/manifest.smk"


report: "report/workflow.rst"


rule all:
    """The whole study: claims, findings, atlas; every model's tables and figures; the record of it all."""
    default_target: True
    input:
        STUDY_FILES,
        for_each_model(MODEL_FILES),
        STUDY / "manifest.json",
