"""Strict checks of YAML files, which also refuse a key that is given twice."""

from pathlib import Path

import yaml

from study.config.text_files import read_utf8
from textualization.errors import SettingsError

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def check_yaml(path: str | Path) -> None:
    """Raise SettingsError, with file and line, unless a file is UTF-8 and YAML without repeated keys."""
    try:
        root = yaml.compose(read_utf8(path), Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        raise SettingsError(
            f"{path}, line {error.problem_mark.line + 1}: not YAML ({error.problem})"
        ) from None
    except yaml.YAMLError as error:
        raise SettingsError(f"{path}: not YAML ({' '.join(str(error).split())})") from None
    waiting, seen = [root] if root else [], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:  # an alias
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            _refuse_twice(path, [key for key, _ in node.value if isinstance(key, yaml.ScalarNode)])
            waiting += [value for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value


def _refuse_twice(path, keys: list[yaml.ScalarNode]) -> None:
    first = {}
    for key in keys:
        line = key.start_mark.line + 1
        if (key.tag, key.value) in first:
            raise SettingsError(
                f"{path}, line {line}: key {key.value!r} is given twice "
                f"(first in line {first[key.tag, key.value]})"
            )
        first[key.tag, key.value] = line
