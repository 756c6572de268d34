"""Experiments: the neurons and groups that they ascend on, and the sentences that some come from."""
