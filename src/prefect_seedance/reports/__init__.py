"""Turns the outcome of a run into what people read: result tables, files, the contact sheet, summary and artifacts."""

from prefect_seedance.reports.results.result import GenerateResult, RowResult

__all__ = ["GenerateResult", "RowResult"]
