"""Print a study's claims beside the paper's, and where its results are."""

import sys
from pathlib import Path

import pandas as pd

from textualization.presenting import readable


def main(study: str) -> None:
    claims = pd.read_csv(Path(study) / "claims.csv", keep_default_na=False, na_values=["", "nan"])
    shown = pd.DataFrame(
        {
            "claim": claims["claim"],
            "model": claims["model"],
            "paper": claims["paper"].fillna("").astype(str),
            "here": claims["value"].map(readable),
            "interval": [
                f"{readable(low)} .. {readable(high)}"
                for low, high in zip(claims["ci_low"], claims["ci_high"], strict=True)
            ],
            "n": claims["n"],
            "verdict": claims["verdict"],
        }
    )
    print(shown.to_string(index=False))
    kind = claims["claim"].str.split(".").str[0]
    print("\nProtocol")
    for of, protocol in sorted(set(zip(kind, claims["protocol"], strict=True))):
        print(f"  {of}: {protocol}")
    print(f"\nReport   {study}/report.html (open it in a browser)")
    print(f"Claims   {study}/claims.md, .csv, .tex")
    for model in claims["model"].unique():
        print(f"Tables   {study}/{model}/tables/")
        print(f"Figures  {study}/{model}/figures/")


if __name__ == "__main__":
    main(sys.argv[1])
