"""Input: a route and a request. Output: every rule that the request breaks."""
