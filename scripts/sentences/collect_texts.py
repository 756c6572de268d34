"""Collect the texts of all lengths and objectives in one table, `texts.parquet`."""

from study.job import run
from study.results import read_tables
from textualization.files import write_table


def main(batches: list, table) -> None:
    write_table(read_tables(batches), table)


if "snakemake" in globals():
    run(main, snakemake)
