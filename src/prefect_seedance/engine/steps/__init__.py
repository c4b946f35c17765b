"""What is done for one row or one medium, a file each: create, poll, download, media, upload, review, fall back."""
