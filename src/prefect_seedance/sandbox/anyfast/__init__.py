"""Anyfast's endpoints, from its documents: its requests go in, its answers come out."""
