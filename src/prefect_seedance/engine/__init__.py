"""Works on the rows of a run. Input: rows. Output: their states in the ledger, their videos, and row events."""
