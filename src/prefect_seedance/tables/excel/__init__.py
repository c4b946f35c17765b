"""Workbooks of Excel: from bytes to a DataFrame, by cells and their types, as a person sees the sheet."""
