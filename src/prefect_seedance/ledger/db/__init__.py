"""The ledger's database: connections, schema and migrations, parallel reads, and one writer that commits in groups."""
