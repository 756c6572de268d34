"""What does a neuron, or a group of neurons, want to read?

The study of arXiv 2311.08240: each include is one stage. Settings: config/. Results: results/<study>/.
"""


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
    """The whole study: claims, tables, figures, and the record of how they were made."""
    default_target: True
    input:
        STUDY / "claims.md",
        STUDY / "findings.md",
        STUDY / "provenance.json",
        STUDY / "manifest.json",
        for_each_model(TABLES + FIGURES + EXPERIMENTS),
        ATLAS,
        SIDE_BY_SIDE,
