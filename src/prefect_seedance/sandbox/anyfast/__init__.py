"""Anyfast's endpoints, written from its documents: its requests go in, its answers come out."""
