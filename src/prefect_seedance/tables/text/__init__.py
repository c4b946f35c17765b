"""Tables in text: CSV and its like, lists of prompts, JSON and JSON lines, from bytes to a DataFrame."""
