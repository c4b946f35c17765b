"""The steps for one row, a file each: create, poll, download, reuse, fallback; `media` has those of its media."""
