# Checks the settings before planning, and detects every change of settings, code and inputs.
import yaml
from snakemake.logging import logger
from snakemake.utils import update_config

from study.dependencies import local_imports
from study.config.corpus import corpus_file
from study.config.experiments import basis_files, conditions, needs_contexts
from study.config.settings import (
    check_job_count,
    check_settings,
    group_sizes,
    normalised,
    read_target_rows,
)
from study.config.schema_faults import read_schema
from study.staleness import check_memory, date_back, date_by_content, mark_memory
from study.experiments.context_table import read_contexts
from textualization.analysis.direction_vectors import rows_in
from textualization.corpora import check_corpus
from textualization.models.sources import files_of, folder_name

# A workflow that uses this one as a module gives only the settings that it changes.
if ROOT != Path():
    settings = {}
    for path in DEFAULTS:
        update_config(settings, yaml.safe_load(path.read_text(encoding="utf-8")))
    tables = {table: settings["words"][table] for table in ("targets", "contexts")}
    update_config(settings, config)
    for table, path in tables.items():
        if settings["words"][table] == path:
            settings["words"][table] = str(ROOT / path)
    config.update(settings)


def local_files(model):
    """List the files of a model with source `path`; none for other sources."""
    source = config["catalogue"][model]
    return files_of(source["path"], source.get("gguf")) if source["source"] == "path" else []


def check_rows():
    """Raise SettingsError for files of directions that have a row of zeros or no numbers."""
    for name, of in config["directions"].items():
        try:
            if "file" in of:
                rows_in(of["file"])
        except RequestError as error:
            said = str(error).removeprefix("path: ")
            raise SettingsError(f"directions.{name}.file: {said}") from None


try:
    check_settings(config, read_schema(ROOT / "config/config.schema.yaml"))
    TARGETS = read_target_rows(config["words"]["targets"])
    if any(needs_contexts(config["experiments"].get(name, {})) for name in config["run"]):
        read_contexts(config["words"]["contexts"])
    check_job_count(config, len(TARGETS))
except (SettingsError, UnicodeEncodeError) as error:
    refuse(error)

# The file of sentences, or None.
CORPUS = corpus_file(config, ROOT)

for name in set(config["run"]) & set(config["experiments"]):
    drawing = ROOT / f"scripts/experiments/figure_{name}.py"
    if not drawing.is_file():
        refuse(
            f"run: {name!r} has no script for its figure, {drawing} (docs/experiments.md shows one)"
        )

# Snakemake compares parameters as text.
for key, value in normalised(config).items():
    del config[key]
    config[key] = value

MEMORY = Path(".snakemake/textualization")
# Jobs parse the Snakefile too; only the process that plans looks for changes.
if workflow.is_main_process:
    watched = [path for part in ("scripts", "src") for path in (ROOT / part).rglob("*.py")]
    watched += [*(ROOT / "resources").rglob("*.*")]
    watched += [config["words"]["targets"], config["words"]["contexts"]]
    for name in set(config["run"]) & set(config["experiments"]):
        for found in conditions(config["experiments"][name]).values():
            watched += basis_files(found)
    watched += [of["file"] for of in config["directions"].values() if "file" in of]
    watched += [CORPUS] if CORPUS else []
    for model in config["models"]:
        watched += local_files(model)
    made = [Path("results") / config["study"]]
    made += [
        Path("results/_models") / folder_name(m, config["catalogue"][m]) for m in config["models"]
    ]
    made = [path for folder in made for path in folder.rglob("*") if not path.is_dir()]
    try:
        check_rows()
        if CORPUS:
            check_corpus(CORPUS)
        if future := date_back([*watched, *made], Path("results")):
            logger.warning(
                f"Dated in the future, now dated back (check the clock): {future[0]}"
                + (f" and {len(future) - 1} more" if len(future) > 1 else "")
            )
        check_memory(Path("results") / config["study"], MEMORY / "studies", config)
        date_by_content(watched, MEMORY / "sources.json")
    except (RequestError, UnicodeEncodeError) as error:
        refuse(error)


onstart:
    mark_memory(Path("results") / config["study"], MEMORY / "studies")
    # Snakemake's own limit, 100 jobs a second, costs more than the scheduling itself: each job that
    # ends adds a timer that wakes the scheduler every second. A limit that was requested stays.
    limit = workflow.scheduler.job_rate_limiter
    if limit and (limit.max_jobs, limit.timespan) == (100, 1):
        workflow.scheduler.job_rate_limiter = None
