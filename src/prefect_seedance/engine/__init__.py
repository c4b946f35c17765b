"""In go rows that a run may work on; out come their states in the ledger, their videos, and events on the way."""
