"""The base of all other packages: the event loop, row events, checkpoints for tests, the clock, compressed answers."""
