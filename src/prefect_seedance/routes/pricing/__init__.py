"""Input: a route, a request and prices. Output: a quote before the job, units and an amount after it."""
