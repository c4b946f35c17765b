"""Coordinates processes through the ledger: claims of rows, and allocations of jobs in flight."""
