"""Gradient ascent: objectives, solvers, starts and the loop."""
