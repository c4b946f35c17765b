"""The videos that the sandbox makes, and the limits of input media."""
