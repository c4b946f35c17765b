"""Texts about the tables and folders that a person names in a form."""

from __future__ import annotations

FORM_TABLES: dict[str, str] = {
    "form.alike_tables": (
        "{pattern} matches tables whose names are too similar to have a batch each. Rename one, or use a narrower "
        "pattern. Nothing was spent."
    ),
    "form.fleeting_path": (
        "{what} {path!r} starts in a temporary folder that is deleted when this run ends. Give the whole path, such as "
        "/data/videos, or set the working directory of the work pool (prefect-seedance setup does). Nothing was spent."
    ),
    "form.no_driver": "No driver for {place} is installed: {reason}. Nothing was spent.",
    "form.no_table": "No table matches {pattern} on the worker's machine. Nothing was spent.",
    "form.the_folder": "The folder",
    "form.the_table": "The table",
    "form.the_videos": "The folder for the videos",
    "form.unlisted_folder": (
        "The folder {folder} cannot be listed on the worker's machine: {reason}. Nothing was spent."
    ),
    "form.unlisted_store": "{place} cannot be listed ({error}): {reason}. Nothing was spent.",
}
