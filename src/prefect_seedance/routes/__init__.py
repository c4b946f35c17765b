"""Room: routes."""
