"""In goes a user's table (a file, a link, a DataFrame, rows); out come typed rows with keys, or all problems."""
