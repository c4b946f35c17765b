"""The ledger's database: opened, migrated, read in parallel, and written in groups by one writer."""
