# Experiment `input_length`: several free positions between the fixed tokens (the paper's question 3).


rule list_places:
    """What is found at the position that is read, and at the others, by length and place."""
    input:
        script_with_modules("list_places"),
        optima=optima_of("input_length"),
    output:
        **part("input_length", "places"),
    log:
        experiment("input_length") / "logs/list_places.log",
    benchmark:
        experiment("input_length") / "benchmarks/list_places.tsv"
    localrule: True
    conda:
        "../envs/analysis.yaml"
    params:
        confidence=STATISTICS["confidence"],
        resamples=STATISTICS["resamples"],
        seed=config["seed"],
    script:
        "../scripts/list_places.py"
