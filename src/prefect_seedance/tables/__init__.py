"""Turns a user's table (a file, a link, a DataFrame, rows) into typed rows with keys, or a list of all problems."""
