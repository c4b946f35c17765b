"""Input: a `Call`. Output: an `Answer`. One HTTP request, bounded in time and size, traced, and never repeated."""
