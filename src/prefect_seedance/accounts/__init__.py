"""What a process holds for each paying account: its client, its limits, its poller, and whether it is closed."""
