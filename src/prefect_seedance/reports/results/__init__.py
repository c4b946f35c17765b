"""In goes a run's outcome; out comes what became of each row, as objects, as a DataFrame and as files."""
