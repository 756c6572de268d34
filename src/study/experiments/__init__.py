"""Experiments: what they ascend on, words and sentences among it, and what they say of optima."""
