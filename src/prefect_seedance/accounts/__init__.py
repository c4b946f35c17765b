"""What a process keeps for each paying account: the client, the limiter, the poller and the circuit breaker."""
