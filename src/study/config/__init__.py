"""The settings of a study: their checks, experiments' conditions, how models are read. Loads fast."""
