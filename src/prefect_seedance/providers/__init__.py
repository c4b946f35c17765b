"""Room: providers."""
