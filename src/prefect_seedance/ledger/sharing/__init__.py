"""What several processes agree on in the ledger: who works on which rows, and who may have how much in flight."""
