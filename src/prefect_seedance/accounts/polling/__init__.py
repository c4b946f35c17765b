"""When to ask about a job: one poller asks for all jobs of an account, as few times as it can."""
