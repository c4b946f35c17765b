"""Texts about the way from a table's rows to a plan: routes, limits, media, file names."""

from __future__ import annotations

PLANNING: dict[str, str] = {
    # Rows that cannot be sent.
    "rows.invalid": (
        "{invalid:row|rows} of {table} cannot be sent; {valid:,} can:{shown:bullets}"
        "Nothing was spent. Correct the rows, or leave them out with {@on_invalid:skip}."
    ),
    "rows.more_invalid": (
        "{invalid:row|rows} of {table} cannot be sent; {valid:,} can:{shown:bullets}… and {more:row|rows} more.\n"
        "Nothing was spent. Correct the rows, or leave them out with {@on_invalid:skip}."
    ),
    "rows.reason": "row {line} (id {key}): {reason}",
    "rows.cell": "{column} {value!r}: {problem}",
    "rows.medium": "{field}: {problem}",
    "rows.candidate": "candidate {route}: {reason}",
    "rows.warning": "{warning} ({rows:row|rows})",
    "rows.only_unreadable": "{@only} has an entry that is no row id, {key}: {reason}. Nothing was spent.",
    "rows.only_unknown": "{@only} has row ids that {table} does not have: {keys}. Nothing was spent.",
    "rows.limit": "{@limit} is {limit}; expected 1 or more rows. Nothing was spent.",
    "request.invalid": "The request cannot be sent:{problems:bullets}Nothing was spent.",
    "request.media_invalid": "The media of the request cannot be used:{problems:bullets}Nothing was spent.",
    # Which routes make a row.
    "choice.unknown": "{@choose} is {choose!r}; expected one of {known}. Nothing was spent.",
    "choice.named_twice": (
        "route {routes!r}: the row also names a model or a provider ({named}); name its routes in one place only"
    ),
    "choice.none_fits": "{named}: none of the given routes fits; they are {routes}",
    "choice.unknown_route": "route {name!r} is not one of the given routes; they are {routes}",
    "choice.skipped": "{route} is skipped: {reasons:clauses}",
    "choice.unpriced": "{route}: {reason}",
    "choice.unpriced_skipped": "cheapest leaves out {route}: {reason}",
    "choice.none_priced": (
        "route 'cheapest': no route that can make the row has a price to compare: {reasons:clauses}. Give prices in "
        "the routes' price books, or name the routes in order"
    ),
    "review.billed": (
        "{route}: {field} are submitted as assets, once per content; the provider bills per request in addition to the "
        "videos (price line {billing_model!r}; no quote includes it)"
    ),
    "review.unconfirmed": "{route}: {field} are submitted to a review whose calls no document confirms",
    "review.no_library": "{route} has no asset library, which {medium} would need.",
    # What a run may spend.
    "run_limit.currencies": (
        "{@budget} is in {budget} and {@max_charge} in {max_charge}; currencies are never converted. Nothing was spent."
    ),
    "run_limit.other_currency": (
        "it is priced in {currency}, which {bound} cannot hold: currencies are never converted"
    ),
    "run_limit.budget": "the budget of {budget}",
    "run_limit.spending": "the spending limit of its account, {limit},",
    "run_limit.no_price": (
        "no price is known for {billing_model}, so {bound} cannot hold it: put its price into the route's price "
        "book, or say what a row costs at most with {@max_charge:… {currency}}"
    ),
    "run_limit.no_bound": (
        "its cost has no upper bound, so {bound} cannot hold it: put its price into the route's price book, or say "
        "what a row costs at most with {@max_charge:… {currency}}"
    ),
    "run_limit.limit_patience": (
        "{@limit_patience} is {seconds}; expected a number of seconds, 0 or more. Nothing was spent."
    ),
    "run_limit.max_failures": (
        "{@max_failures} is {failures}; expected a count of 1 or more, or a share of the rows between 0 and 1. "
        "Nothing was spent."
    ),
    "run_limit.no_space": (
        "{videos:video|videos} need about {needed} GB, and the disk of {place} has {free} GB free. Free some space, "
        "choose another {@output}, or make fewer with {@limit}. Nothing was spent."
    ),
    # Names of files.
    "file_name.syntax": (
        "{@file_name} is {template!r}: {reason}. Write fields in braces, such as {{id}}. Nothing was spent."
    ),
    "file_name.format": (
        "{@file_name} is {template!r}: {{{field}}} cannot have ':' or '!'; only a date can have a format, as in "
        "{{date:%Y%m%d}}. Nothing was spent."
    ),
    "file_name.unknown_field": (
        "{@file_name} is {template!r}: there is no {field!r}. Known are: {known}. Nothing was spent."
    ),
    "file_name.no_field": (
        "{@file_name} is {template!r}, which names no field, so all videos would have one name: use {{id}}. Nothing "
        "was spent."
    ),
    "file_name.path": (
        "{@file_name} is {template!r}; expected a path below the batch's folder, such as {{model}}/{{id}}: no '..', no "
        "'\\', no ':' and no slash at its beginning or end. Nothing was spent."
    ),
    "file_name.too_deep": (
        "{@file_name} is {template!r}, which has {folders} folders; at most {most} are allowed. Nothing was spent."
    ),
    # How a video differs from its request.
    "deviation.duration": "the video lasts {seconds} s instead of {requested} s",
    "deviation.size": "the video has {width}×{height} pixels instead of {requested}",
    "deviation.size_requested": "{resolution} at {ratio} ({width}×{height})",
    "deviation.ratio": "the video's ratio is {width}:{height} instead of {requested}",
    "deviation.no_sound": "the video has no sound, although sound was requested",
    "deviation.sound": "the video has sound, although none was requested",
}
