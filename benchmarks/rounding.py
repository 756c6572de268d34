"""How far rounding alone moves a study's numbers: the default study as on other processors.

The same settings and starts, with sums in another order: libraries are told to keep to older
instructions, jobs have two threads, or other batches. By the default study's solver and, in contrast, by
200 float32 steps of the paper's. Own numbers only, without nulls; of fewer neurons and groups, unless
`--full`.
"""

import argparse
from pathlib import Path

import pandas as pd

from show import _machine, _table
from studies import ALONE, merged, settings_of, study
from textualization.analysis.twins import KEYS
from textualization.files import write_text
from textualization.report.sentences import with_interval

#: Variables that ask libraries for no newer instructions.
AVX2 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
}
SSE = {"ATEN_CPU_CAPABILITY": "default", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2"}
SSE |= {"ONEDNN_MAX_CPU_ISA": "SSE41", "OPENBLAS_CORETYPE": "Nehalem"}
#: Ways to compute the same: variables of the machine, and settings that change rounding only.
WAYS = {
    "usual": ({}, {}),
    "avx2": (AVX2, {}),
    "sse": (SSE, {}),
    "threads": ({}, {"ascent": {"threads": 2}, "activations": {"threads": 2}}),
    "batches": (
        {},
        {
            "ascent": {"singles": {"per_job": 23}, "groups": {"per_job": 37}},
            "activations": {"words_per_pass": 100},
        },
    ),
}
#: Studies, by the settings in which they differ from the default study.
STUDIES = {
    "default": {},
    "paper": {
        "solver": "paper",
        "dtype": "float32",
        "singles": {"steps": 200},
        "groups": {"steps": 200},
    },
}
#: What is left of the default study unless it is run in full.
FEW = {
    "singles": {"neurons": 6},
    "groups": {"selections": ["absolute"], "sizes": {"model": [50, 250]}},
    "ascent": {"singles": {"restarts": 1}, "groups": {"restarts": 1}},
}


def ran(name: str, way: str, few: dict, configfile: str | None, cores: int) -> Path:
    """Run a study in one of the ways; its folder."""
    variables, settings = WAYS[way]
    settings = merged(few, ALONE, {"ascent": STUDIES[name]}, settings)
    configfiles = (configfile,) if configfile else ()
    wanted = ("claims.csv",)
    return study(f"rounding-{name}-{way}", settings, wanted, cores, configfiles, **variables)


def optima(folders: dict[str, Path], model: str) -> pd.DataFrame:
    """By way: how many optima have another nearest word, and how many printed claims differ."""
    printed = {
        way: (f / "claims.md").read_text(encoding="utf-8").splitlines()
        for way, f in folders.items()
    }
    rows = []
    for way, folder in folders.items():
        if way == "usual":
            continue
        row = {"way": way}
        for kind, keys in KEYS.items():
            usual, other = (
                pd.read_parquet(f / model / f"{kind}.parquet") for f in (folders["usual"], folder)
            )
            both = usual.merge(other, on=keys, suffixes=("", "_other"), validate="one_to_one")
            apart = (both["activation_other"] - both["activation"]) / both["activation"]
            elsewhere = (both["nearest_word"] != both["nearest_word_other"]).sum()
            row[f"{kind} with another nearest word"] = f"{elsewhere} of {len(usual)}"
            row[f"{kind}: largest difference of an activation"] = f"{apart.abs().max():.1e}"
        lines = sum(a != b for a, b in zip(printed["usual"], printed[way], strict=True))
        rows.append(row | {"lines of claims.md that differ": lines})
    return pd.DataFrame(rows)


def claims(folders: dict[str, Path]) -> pd.DataFrame:
    """Every claim: its value, and how far the value of another way is from it at most."""
    usual, *others = (_values(folder) for folder in folders.values())
    apart = pd.concat([(o["value"] - usual["value"]).abs() for o in others], axis=1).max(axis=1)
    width = usual["ci_high"] - usual["ci_low"]
    rows = {
        "value": [with_interval(*row) for row in usual.itertuples(index=False)],
        "moved by at most": apart.map("{:.2g}".format),
        "of the interval's width": (apart / width).map("{:.1%}".format),
    }
    table = pd.DataFrame(rows, index=usual.index)
    return table[usual["value"].notna() & apart.notna()].reset_index()


def _values(folder: Path) -> pd.DataFrame:
    table = pd.read_csv(folder / "claims.csv").drop_duplicates("claim").set_index("claim")
    return table[["value", "ci_low", "ci_high"]].apply(pd.to_numeric, errors="coerce")


def main(out, full: bool, configfile: str | None, studies, ways: list[str], cores: int) -> None:
    extent = configfile or "the default study" + ("" if full else ", with fewer neurons and groups")
    parts = [HEAD.format(machine=_machine(), extent=extent)]
    for name in studies:
        few = {} if full or configfile else FEW
        folders = {way: ran(name, way, few, configfile, cores) for way in ways}
        settings = settings_of(folders["usual"].name, (configfile,) if configfile else ())
        ascent, (model,) = settings["ascent"], settings["models"]
        steps = f"{ascent['singles']['steps']} and {ascent['groups']['steps']} steps"
        parts += [f"\n## {ascent['solver']}, {ascent['dtype']}, {steps}\n"]
        parts += [_table(optima(folders, model)), "", _table(claims(folders))]
        # What is known so far, should a later study fail.
        write_text("\n".join(parts) + "\n", Path(out))
    print("\n".join(parts))


HEAD = """# What rounding alone does

Made by `benchmarks/rounding.py` (`make rounding`) on {machine}: {extent}, without nulls, as this machine
runs it, and again with the same settings and starts but with sums in another order: libraries restricted
to AVX2 or SSE4 (`avx2`, `sse`), two threads per job (`threads`), other batches (`batches`). One machine
with the same threads and batches gives the same results to the last bit. This page shows what to expect
of another: single neurons and groups by way, then the claims (the largest difference of all ways).
"""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default="docs/rounding.md")
    parser.add_argument("--full", action="store_true", help="all neurons and groups of the study")
    parser.add_argument("--configfile", help="another study than the default one, as it is")
    parser.add_argument("--studies", nargs="+", choices=STUDIES, default=list(STUDIES))
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS), help="usual first")
    parser.add_argument("--cores", type=int, default=2)
    main(**vars(parser.parse_args()))
