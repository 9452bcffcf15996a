"""Runtime: shipped files, checkpoints, batching of calls."""
