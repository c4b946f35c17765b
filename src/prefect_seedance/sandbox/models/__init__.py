"""The limits and prices of the sandbox's models, one table for each provider."""
