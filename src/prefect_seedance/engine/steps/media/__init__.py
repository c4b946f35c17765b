"""The steps of a medium before the creates of its rows: prepare, which calls upload and review."""
