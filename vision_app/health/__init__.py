"""What may be wrong with a dataset: one check a file, as pure functions of arrays."""
