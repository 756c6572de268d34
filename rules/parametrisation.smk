# Experiment `parametrisation`: what is free, what is taken off, and what it costs (the paper's question 2).


rule list_front:
    """The Pareto front of activation against closeness to words; its word end is an exhaustive search."""
    input:
        script_with_modules("list_front"),
        numbers=experiment("parametrisation") / "numbers.csv",
    output:
        **part("parametrisation", "front"),
    log:
        experiment("parametrisation") / "logs/list_front.log",
    benchmark:
        experiment("parametrisation") / "benchmarks/list_front.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    script:
        "../scripts/list_front.py"
