"""Analysis of optima: comparison with words, null models, estimates."""
