# Before settings are read: what YAML lets pass in silence, or Snakemake names no line of. No rules here.
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.0")

sys.path.insert(0, str(Path(workflow.basedir) / "scripts"))

from textualization.errors import SettingsError
from textualization.strict_yaml import check_yaml

if not Path(workflow.basedir).samefile("."):
    raise WorkflowError(f"The study's paths are of its own folder: cd {workflow.basedir}")

# Those of the command line, and the one that they change.
for path in [Path(workflow.basedir) / "config/config.yaml", *workflow.configfiles]:
    try:
        check_yaml(os.path.relpath(path))
    except SettingsError as error:
        raise WorkflowError(f"The settings cannot be used.\n{error}") from None
