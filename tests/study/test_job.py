"""A script's `main` gets its arguments from a job, and its errors become one line."""

import logging
import shutil
import subprocess
import sys
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from snakemake.iocontainers import InputFiles, OutputFiles, Params, ResourceList, Wildcards

from paths import ROOT
from study import job
from study.job import bind
from study.record import checksums
from textualization.analysis.estimates import Intervals
from textualization.ascent.protocol import Execution, Protocol
from textualization.report.plotting import FigureFiles
from textualization.report.tables import TableFiles

TABLE = {kind: f"t.{kind}" for kind in ("csv", "md", "tex", "html")}


def job_of(threads=1, log="log", **parts):
    """What Snakemake gives a script: named lists, in which a list of files is a list."""
    kinds = {"input": InputFiles, "output": OutputFiles, "params": Params}
    kinds |= {"wildcards": Wildcards, "resources": ResourceList}
    made = {}
    for name, kind in kinds.items():
        made[name] = kind()
        for key, value in parts.get(name, {}).items():
            several = kind in (InputFiles, OutputFiles) and isinstance(value, list)
            first = len(made[name])
            made[name].extend(value if several else [value])
            made[name]._set_name(key, first, end=len(made[name]) if several else None)
    return SimpleNamespace(threads=threads, log=[log], **made)


def test_a_parameter_takes_what_has_its_name_wherever_it_stands():
    def main(weights, table, seed, model, mem_mb, threads): ...

    found = bind(
        main,
        job_of(
            threads=3,
            input={"weights": "w", "unused": "u"},
            output={"table": "t"},
            params={"seed": 7},
            wildcards={"model": "tiny"},
            resources={"mem_mb": 500},
        ),
    )
    assert found == {
        "weights": "w",
        "table": "t",
        "seed": 7,
        "model": "tiny",
        "mem_mb": 500,
        "threads": 3,
    }


def test_a_parameter_that_stands_nowhere_is_named():
    def main(weights, table): ...

    with pytest.raises(TypeError, match="'table' is nowhere in the rule"):
        bind(main, job_of(input={"weights": "w"}))


def test_what_stands_in_several_places_must_be_the_same():
    def main(model): ...

    same = job_of(params={"model": "tiny"}, wildcards={"model": "tiny"})
    assert bind(main, same) == {"model": "tiny"}
    with pytest.raises(TypeError, match="'model' is in several places in the rule"):
        bind(main, job_of(params={"model": "other"}, wildcards={"model": "tiny"}))


def test_a_default_stands_in_for_what_a_rule_does_not_name():
    def main(weights, contexts=None, batch=64): ...

    assert bind(main, job_of(input={"weights": "w"})) == {"weights": "w"}
    asked = job_of(input={"weights": "w"}, params={"batch": 8})
    assert bind(main, asked) == {"weights": "w", "batch": 8}


def test_a_value_may_be_none_empty_or_false():
    def main(contexts, models, strict): ...

    values = {"contexts": None, "models": [], "strict": False}
    assert bind(main, job_of(params=values)) == values


def test_wildcards_are_whole_numbers_where_the_script_says_so():
    def main(layer: int, replicate): ...

    found = bind(main, job_of(wildcards={"layer": "3", "replicate": "1"}))
    assert found == {"layer": 3, "replicate": "1"}


@pytest.mark.parametrize("given", ["one", ["one"], ["one", "other"], []])
def test_files_are_a_list_where_the_script_says_so(given):
    def main(paths: list): ...

    found = bind(main, job_of(input={"before": "b", "paths": given, "after": "a"}))["paths"]
    assert type(found) is list
    assert found == ([given] if isinstance(given, str) else given)


def test_names_that_lists_have_of_their_own_are_no_files():
    def main(index): ...

    with pytest.raises(TypeError, match="'index' is nowhere"):
        bind(main, job_of(input={"weights": "w"}))
    assert bind(main, job_of(params={"index": 4})) == {"index": 4}


def test_outputs_that_belong_together_are_one_argument():
    def main(files: TableFiles): ...

    assert bind(main, job_of(output=TABLE)) == {"files": TableFiles(**TABLE)}


def test_several_sets_of_outputs_are_told_apart_by_their_names():
    def main(senses: TableFiles, figure: FigureFiles): ...

    senses = {f"senses_{kind}": f"senses.{kind}" for kind in TABLE}
    figure = {f"figure_{kind}": f"figure.{kind}" for kind in ("pdf", "png", "txt")}
    assert bind(main, job_of(output=TABLE | senses | figure)) == {
        "senses": TableFiles("senses.csv", "senses.md", "senses.tex", "senses.html"),
        "figure": FigureFiles("figure.pdf", "figure.png", "figure.txt"),
    }


def test_outputs_of_which_one_lacks_are_refused():
    def main(files: TableFiles): ...

    with pytest.raises(TypeError, match="'files' is nowhere"):
        bind(main, job_of(output={"csv": "t.csv", "md": "t.md"}))


def test_a_mapping_becomes_what_the_script_says_it_is():
    def main(intervals: Intervals, protocol: Protocol): ...

    params = {
        "intervals": {"confidence": 0.9, "resamples": 100, "seed": 7},
        "protocol": {"solver": "lbfgs", "steps": 20, "options": {"memory": 5}},
    }
    found = bind(main, job_of(params=params))
    assert found["intervals"] == Intervals(0.9, 100, 7)
    assert found["protocol"] == Protocol(solver="lbfgs", steps=20, options={"memory": 5})
    with pytest.raises(TypeError, match="resample"):
        bind(main, job_of(params=params | {"intervals": {"resample": 100}}))


def test_how_an_ascent_runs_is_taken_from_the_jobs_resources():
    def main(execution: Execution): ...

    resources = {"device": "cpu", "mem_mb": 700, "snapshot_seconds": 5}
    whole = job_of(threads=2, output={"optima": "o", "more": "m"}, resources=resources)
    assert bind(main, whole)["execution"] == Execution("cpu", 2, 700, "o", 5)
    del resources["snapshot_seconds"]
    usual = bind(main, job_of(output={"optima": "o"}, resources=resources))["execution"]
    assert usual.snapshot_seconds == Execution().snapshot_seconds


@dataclass
class Left:
    """Snapshots, as far as a job knows them."""

    removed: bool = False

    @classmethod
    def of_job(cls, job):
        return cls()

    def remove_snapshots(self):
        self.removed = True


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "word").write_text("apple")
    checksums.record([tmp_path / "word"])
    return tmp_path


def run_in(folder, main):
    """Run a job as if in a process of its own: what it sets about logging is undone."""
    names = {"input": {"word": str(folder / "word")}, "output": {"table": str(folder / "table")}}
    root = logging.getLogger()
    before = root.handlers, root.level, logging.raiseExceptions
    root.handlers = []
    try:
        job.run(main, job_of(log=str(folder / "log"), **names))
    finally:
        for handler in root.handlers:
            handler.close()
        root.handlers, root.level, logging.raiseExceptions = before


def test_a_job_records_its_outputs_and_leaves_no_snapshots(folder):
    seen = []

    def main(word, table, left: Left):
        seen.append(left)
        logging.info("counting")
        shutil.copy(word, table)

    run_in(folder, main)
    assert (folder / "table").read_text() == "apple" and checksums.has_record(folder / "table")
    assert seen[0].removed
    assert "counting" in (folder / "log").read_text()


def test_an_error_is_one_line_and_keeps_the_snapshots(folder, capsys):
    seen = []

    def main(table, left: Left):
        seen.append(left)
        raise ValueError("no such word: 'aple'")

    with pytest.raises(SystemExit) as end:
        run_in(folder, main)
    assert end.value.code == 1
    said = capsys.readouterr().err
    assert said == f"test_job: no such word: 'aple'\n(details: {folder / 'log'})\n"
    assert "Traceback" in (folder / "log").read_text()
    assert not seen[0].removed and not checksums.has_record(folder / "table")


def test_a_damaged_input_is_never_read(folder, capsys):
    (folder / "word").write_text("aple")

    def main(word, table):
        raise AssertionError

    with pytest.raises(SystemExit):
        run_in(folder, main)
    assert "wrong checksum" in capsys.readouterr().err


def test_a_log_is_in_utf_8_in_every_locale(tmp_path):
    """What other programs say may be in no encoding at all."""
    script = tmp_path / "script.py"
    script.write_text(
        "import logging\n"
        "from types import SimpleNamespace\n"
        "from study.job import run\n"
        "class Named(dict):\n"
        "    def __iter__(self): return iter(self.values())\n"
        "def main():\n"
        "    logging.info('the word π')\n"
        "    raise ValueError('no word π, no file \\udce9')\n"
        "none = {name: Named() for name in ('input', 'output', 'params', 'wildcards', 'resources')}\n"
        f"run(main, SimpleNamespace(log=[{str(tmp_path / 'log')!r}], threads=1, **none))\n",
        encoding="utf-8",
    )
    ascii_only = {"PYTHONPATH": str(ROOT / "src"), "LC_ALL": "C", "PYTHONUTF8": "0"}
    ascii_only |= {"PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run([sys.executable, script], env=ascii_only, capture_output=True)
    assert done.returncode == 1
    assert b"script: no word \\u03c0, no file \\udce9\n(details: " in done.stderr
    log = (tmp_path / "log").read_text(encoding="utf-8")
    assert "the word π" in log and "ValueError: no word π, no file \\udce9" in log
