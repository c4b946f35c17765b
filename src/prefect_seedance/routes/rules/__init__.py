"""In go a route and a request; out comes every rule that the request breaks."""
