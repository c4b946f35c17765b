"""Texts about prices, quotes and the catalogue of routes."""

from __future__ import annotations

QUOTES: dict[str, str] = {
    # What a user should know about a quote.
    "quote.no_price": "no price is given for {billing_model!r}",
    "quote.no_price_under_our_name": (
        "no price is given for {billing_model!r} (the documents name no price line here; this name is ours)"
    ),
    "quote.length_may_stay_unknown": (
        "if the provider cannot determine the length of the first reference video, it bills the duration alone"
    ),
    "quote.length_unknown": "the length of the reference video is not known yet, so there is no upper bound",
    "quote.input_undocumented": (
        "the documents do not say whether seconds of reference video are billed, so there is no upper bound"
    ),
    "quote.minimum_charge": (
        "with input video a minimum charge applies whose amount no document states, so there is no upper bound"
    ),
    "quote.no_frame_size": (
        "no document gives the frame size of this resolution and ratio, so the tokens cannot be counted"
    ),
    "quote.adaptive_ratio": "the provider chooses the ratio: the quote goes from the smallest frame to the largest",
    "quote.no_common_bound": "one of several routes makes the video, and no common bound is known: {quotes:clauses}",
    "quote.of_unknown_price": "{billing_model}: unknown",
    "quote.of_line": "{billing_model}: {amount}",
    # Why a quote cannot be made, or compared with others.
    "quote.other_unit": (
        "The price of {billing_model!r} is per {unit}, but {route} bills per {billed}. Nothing was spent."
    ),
    "quote.reference_seconds": "{seconds} is no length of a reference video: it must be zero or more seconds.",
    "quote.price_unknown": "no price is known for {billing_model!r}",
    "quote.other_currency": "it is priced in {currency}, the others in {other}: currencies are never converted",
    # Sums.
    "sum.exact": "{amount} {currency}",
    "sum.range": "{low} to {high} {currency}",
    "sum.open": "at least {low} {currency}",
    "total.rows": "{rows:row|rows}",
    "total.rows_by_kind": "{rows:row|rows} ({kinds})",
    "total.kind": "{rows:,} {kind}",
    "total.unpriced": "cost unknown, no price for: {lines}",
    "total.unpriced_line": "{billing_model} ({rows:,})",
    # Prices and amounts, as people write them.
    "price.currency": "{currency!r} is not a currency: write a short name such as 'CNY' or 'USD'.",
    "price.no_models": (
        "prices must name billing models, as in {{'seedance2.0-mini-720p': '0.05'}}; this does not: {prices}"
    ),
    "price.unusable": "{problems:clauses}",
    "price.of_model": "price of {model}: {reason}",
    "price.model_missing": "a billing model needs a name, such as 'seedance2.0-mini-720p'",
    "price.entry": "write {{'price': '0.05', 'unit': 'second'}}, not {entry}",
    "price.unit": "{unit} is not a unit; known: second, job, million_tokens",
    "price.float": "a float is not exact: write it as text, '{price}'",
    "price.type": "{price} is not a price: write it as text, such as '0.05'",
    "price.number": "{price} is not a number: write it such as '0.05'",
    "price.out_of_bounds": "{price} is out of bounds: a price is zero or more, and less than {highest:,f}",
    "price.places": "{price} has more than {most} decimal places",
    "amount.unreadable": (
        '{setting} is {amount}; expected a number and its currency, such as "100 CNY". Nothing was spent.'
    ),
    "amount.approve_above": "{@approve_above}",
    "amount.budget": "{@budget}",
    "amount.cost": "{@cost}",
    "amount.max_charge": "{@max_charge}",
    # The catalogue.
    "catalogue.provider": "Unknown provider {provider!r}; known: {known}. Nothing was spent.",
    "catalogue.several_sellers": "Model {model!r} is sold by {sellers}: name the provider too. Nothing was spent.",
    "catalogue.other_seller": (
        "There is no model {model!r}; it is sold by {sellers}. A model that the catalogue lacks can be added as a "
        "Route of your own. Nothing was spent."
    ),
    "catalogue.misspelt": (
        "There is no model {model!r}; did you mean {similar}? A model that the catalogue lacks can be added as a Route "
        "of your own. Nothing was spent."
    ),
    "catalogue.no_model": (
        "There is no model {model!r}; known: {known}. A model that the catalogue lacks can be added as a Route of your "
        "own. Nothing was spent."
    ),
    # Routes of the user's own.
    "route.sure_bounds_without_doubt": "the sure bounds of {measure} need a doubt that a person can read",
    "route.default_duration": "the default duration of {seconds} s is outside the rule's own bounds",
    "route.billing_model_field": "billing model {template!r} may contain {{resolution}} and no other field",
    "route.billing_model_without_default": "billing model {template!r} needs a default resolution",
    # The routes that a row names.
    "route_expression.not_a_route": (
        "{name!r} is not a route: write model, provider:model or provider/account:model, and separate several by >, "
        "the first choice first"
    ),
    "route_expression.empty_list": "is an empty list; leave the cell empty, or name a route",
    "route_expression.empty_entry": (
        "has an entry that is empty or not text; name a route in each entry, separated by >"
    ),
    "route_expression.too_many": "names {count:,} routes; at most {most} are allowed",
    "route_expression.cheapest_beside_others": (
        "has other routes beside {cheapest!r}, which stands alone: it sorts all given routes by price"
    ),
    "route_expression.twice": "names {name!r} more than once",
    "route_expression.not_a_list": (
        "begins like a list but is not one; write a JSON array, or separate the routes by >"
    ),
}
