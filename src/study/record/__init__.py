"""A study's files as they were made: checksums, manifests, archives."""
