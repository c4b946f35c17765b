"""Turns a table of prompts into paid-for, verified video files, on Prefect 3."""
