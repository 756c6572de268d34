"""The user's machine: environment variables and caches, GPUs, terminals."""
