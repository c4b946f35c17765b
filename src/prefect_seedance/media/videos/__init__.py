"""In goes a result link; out comes a video that was decoded in full, with its facts and previews."""
