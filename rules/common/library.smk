# Makes the library importable, here and in every job, and checks the settings files as YAML.
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.0")

# The folder of the checkout, with scripts and resources: the working directory, unless another workflow
# uses this one as a module.
ROOT = Path(str(workflow.current_basedir)).parents[1]
if Path(workflow.basedir) == ROOT and not ROOT.samefile("."):
    raise WorkflowError(f"The study's paths are relative to its own folder: cd {ROOT}")

LIBRARY = str(ROOT / "src")
ROOT = Path() if ROOT.samefile(".") else ROOT
sys.path.insert(0, LIBRARY)
# Jobs inherit it. The checkout precedes any installed copy of the library.
os.environ.update(PYTHONPATH=LIBRARY)

from study.machine.environment import interpreter, settle

settle(os.environ, caches=Path(".snakemake/cache").resolve())
# Snakemake does not quote it in its commands.
sys.executable = interpreter(sys.executable, Path(".snakemake/textualization"))

# Snakemake removes PYTHONPATH from conda jobs by default.
deployment = workflow.deployment_settings
if deployment and "conda" in {str(m) for m in deployment.deployment_method}:
    if not deployment.conda_not_block_search_path_envvars:
        raise WorkflowError(
            "With conda, jobs find the library only if the profile in use has "
            "conda-not-block-search-path-envvars: true (profiles/default and profiles/slurm do)"
        )

from study.config.strict_yaml import check_yaml
from textualization.errors import RequestError, SettingsError


def refuse(error):
    """Stop planning, with the error in the settings."""
    if isinstance(error, UnicodeEncodeError):
        error = (
            f"{error.object!a}: this locale has no file names like this ({error.encoding}): "
            "export PYTHONUTF8=1"
        )
    raise WorkflowError(f"The settings cannot be used.\n{error}") from None


# The known models, the default settings, and the command line's files that change them.
DEFAULTS = [ROOT / "src/textualization/models/catalogue.yaml", ROOT / "config/config.yaml"]
for path in [*DEFAULTS, *workflow.configfiles]:
    try:
        check_yaml(os.path.relpath(path))
    except SettingsError as error:
        refuse(error)
