"""Print a study's claims compared with the paper's, and where its results are."""

import sys
from pathlib import Path

import pandas as pd

from study.machine.terminal import command_line
from textualization.models.null_models import NULL_MODELS
from textualization.report.csv_tables import read_csv
from textualization.report.sentences import of_twins
from textualization.report.tables import readable

SIGNS = {"above null": "↑", "below null": "↓", "not told apart": "~", "no interval": "?"}


def main(study: str) -> None:
    if not (Path(study) / "claims.csv").is_file():
        sys.exit(f"{study} holds no finished study (`make demo` makes results/default)")
    claims = read_csv(Path(study) / "claims.csv")
    of_paper = claims["claim"].str.startswith(("single.", "group."))
    experiments = sorted(claims["claim"][~of_paper].str.split(".").str[0].unique())
    models, claims = claims["model"].unique(), claims[of_paper]
    own = claims[claims["null_model"].isna()]
    shown = pd.DataFrame(
        {
            "claim": own["claim"],
            "model": own["model"],
            "paper": own["paper"].fillna("").astype(str),
            "here": own["value"].map(readable),
            "interval": [
                f"{readable(low)} .. {readable(high)}"
                for low, high in zip(own["ci_low"], own["ci_high"], strict=True)
            ],
        }
    )
    # A column per null model: its value, and whether the model differs from it.
    of_nulls = claims[claims["null_model"].isin(NULL_MODELS)]
    for null, rows in of_nulls.groupby("null_model", sort=False):
        rows = rows.set_index(["claim", "model"])
        text = rows["null_value"].map(readable) + " " + rows["verdict"].map(SIGNS)
        keys = pd.MultiIndex.from_frame(own[["claim", "model"]])
        shown[null] = text.reindex(keys).fillna("").to_numpy()
    shown["verdict"] = own["verdict"]
    if len(own):
        print(shown.to_string(index=False))
        print(
            "Null models: ↑ the model is above, ↓ below, ~ not told apart "
            "(claims.md has the intervals)"
        )
        kind = claims["claim"].str.split(".").str[0]
        print("\nProtocol")
        protocols = zip(kind, claims["protocol"], strict=True)
        for of, protocol in sorted({(k, p) for k, p in protocols if pd.notna(p)}):
            print(f"  {of}: {protocol}")
        tables = [Path(study) / model / "tables/twins.csv" for model in models]
        if twins := of_twins([read_csv(path) for path in tables if path.is_file()]):
            print(f"  twins: {twins}")
    for model in models:
        for name in experiments:
            print(f"Answer   {study}/{model}/experiments/{name}/answer.md")
    print(f"\nReport   {study}/report.html (open it in a browser)")
    if len(own):
        print(f"Atlas    {study}/atlas/index.html (likewise: every neuron and word)")
    print(f"Findings {study}/findings.md")
    print(f"Claims   {study}/claims.md, .csv, .tex")
    for model in models if len(own) else []:
        print(f"Tables   {study}/{model}/tables/")
        print(f"Figures  {study}/{model}/figures/")


if __name__ == "__main__":
    main(*(command_line() or ["results/default"]))
