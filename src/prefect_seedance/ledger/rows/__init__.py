"""What happens to a row in the ledger: planned, claimed, sent, created, stored, resolved."""
