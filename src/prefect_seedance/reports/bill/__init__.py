"""A provider's bill, from a file to its comparison with the whole ledger: job by job, and never across currencies."""
