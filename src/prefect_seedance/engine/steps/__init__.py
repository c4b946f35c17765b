"""The steps for one row or one medium, one file each: create, poll, download, media, upload, review, fallback."""
