"""Models: sources, conversion, forward passes and upper bounds of neurons."""
