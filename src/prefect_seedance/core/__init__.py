"""What everything else stands on: the event loop, events, checkpoints for tests, the clock."""
