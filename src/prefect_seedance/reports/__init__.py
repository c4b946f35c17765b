"""What people look at: the result table and its files, the summary, the artifacts."""

from prefect_seedance.reports.results.result import GenerateResult, RowResult

__all__ = ["GenerateResult", "RowResult"]
