"""The videos that the sandbox makes, and the limits of media that it is given."""
