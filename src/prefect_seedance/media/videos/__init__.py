"""Input: a result link. Output: a video that was fully decoded, with its facts and previews."""
