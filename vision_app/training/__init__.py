"""Training: a process of its own that takes a config and leaves a run directory."""
