"""Modules that depend on Snakemake or on the folders of a study."""
