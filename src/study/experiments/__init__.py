"""Experiments: what they read, the neurons and groups that they ascend on, and what they find."""
