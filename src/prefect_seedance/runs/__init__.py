"""What can be started: a batch, one video step by step, a sweep, and settling an unknown row."""
