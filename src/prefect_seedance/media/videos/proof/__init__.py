"""Input: a video file. Output: its facts and previews, found in a child process with limits on time and memory."""
