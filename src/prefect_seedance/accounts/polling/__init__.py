"""When to query a job: one poller queries all jobs of an account, as rarely as it can."""
