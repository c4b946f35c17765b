"""What the sandbox's models take and cost, a table for each provider."""
