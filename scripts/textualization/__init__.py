"""Feature textualization: what does a neuron, or a group of neurons, want to read?

Pure functions on arrays. Nothing here knows of Snakemake or of where results are kept.
The method is that of Baeumel et al., BlackboxNLP 2023 (arXiv 2311.08240).
"""
