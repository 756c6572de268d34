# The tables that experiments have of their own, and their figures.


def own_tables_rule(name, step, made):
    """Define the rule of an experiment's own tables."""

    rule:
        """Write an experiment's own tables."""
        name:
            step
        input:
            script_with_modules(f"experiments/{step}"),
            **made["reads"],
        output:
            **{
                kind: path
                for place, table in enumerate(made["tables"])
                for kind, path in prefixed(
                    table if place else "",
                    as_table(
                        in_experiment(name) / table,
                        "Experiments",
                        experiment=name,
                        model="{model}",
                    ),
                ).items()
            },
            **made.get("writes", {}),
        log:
            in_experiment(name) / f"logs/{step}.log",
        benchmark:
            in_experiment(name) / f"benchmarks/{step}.tsv"
        localrule: "megabytes" not in made
        conda:
            f"../envs/{made.get('environment', 'analysis')}.yaml"
        resources:
            mem_mb=growing(made.get("megabytes", 1000)),
            runtime=growing(60),
        params:
            **made.get("given", {}),
            intervals=INTERVALS,
            caption=caption(f"experiments/{step}"),
        script:
            f"../scripts/experiments/{step}.py"


def experiment_figure_rule(name):
    """Define the rule of the figure that figure_<experiment>.py draws."""

    rule:
        """Draw an experiment's figure."""
        name:
            f"figure_of_{name}"
        input:
            script_with_modules(f"experiments/figure_{name}"),
            **{path.stem: path for path in own_tables(name)},
            **({"optima": optima_of(name)} if takes(f"experiments/figure_{name}", "optima") else {}),
            numbers=in_experiment(name) / "numbers.csv",
        output:
            **as_figure(
                in_experiment(name) / "figure", "Experiments", experiment=name, model="{model}"
            ),
        log:
            in_experiment(name) / "logs/figure.log",
        benchmark:
            in_experiment(name) / "benchmarks/figure.tsv"
        localrule: True
        conda:
            "../envs/analysis.yaml"
        resources:
            mem_mb=growing(2000),
            runtime=growing(15),
        params:
            blocks=list(blocks(EXPERIMENTS[name])),
            paper=PAPER,
            intervals=INTERVALS,
            caption=caption(f"experiments/figure_{name}"),
        script:
            f"../scripts/experiments/figure_{name}.py"


for name in EXPERIMENTS:
    for step, made in EXPERIMENT_TABLES.get(name, {}).items():
        own_tables_rule(name, step, made)
    experiment_figure_rule(name)
