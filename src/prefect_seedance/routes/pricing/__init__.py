"""In go a route, a request and prices; out comes what it costs: a quote before, units and an amount after."""
