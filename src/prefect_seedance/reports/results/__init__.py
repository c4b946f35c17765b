"""Turns a run's outcome into the result of each row: as objects, as a DataFrame and as files."""
