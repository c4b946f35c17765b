"""The operations on rows in the ledger: plan, claim, send, create, store, resolve."""
