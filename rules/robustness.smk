# Experiment `robustness`: steps, rates, starts, solvers.


rule map_freezing:
    """Where ascents freeze: how long the input has grown, how little it still climbs at the end."""
    input:
        script_with_modules("map_freezing"),
        optima=optima_of("robustness"),
    output:
        **part("robustness", "freezing"),
    log:
        experiment("robustness") / "logs/map_freezing.log",
    benchmark:
        experiment("robustness") / "benchmarks/map_freezing.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        confidence=STATISTICS["confidence"],
        resamples=STATISTICS["resamples"],
        seed=config["seed"],
    script:
        "../scripts/map_freezing.py"


rule compare_optima:
    """Which conditions agree: cosine of the optima of one objective, and whether their nearest word is one."""
    input:
        script_with_modules("compare_optima"),
        optima=optima_of("robustness"),
    output:
        **part("robustness", "agreement"),
    log:
        experiment("robustness") / "logs/compare_optima.log",
    benchmark:
        experiment("robustness") / "benchmarks/compare_optima.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    script:
        "../scripts/compare_optima.py"
