"""Texts about the rules of routes: what a request asks for, against what a route takes."""

from __future__ import annotations

RULES: dict[str, str] = {
    "rule.problem": "{route}: {field} {value}: {reason}",
    # Settings.
    "rule.prompt_missing": "a prompt is required",
    "rule.prompt_or_media_missing": "a prompt, an image or a video is required",
    "rule.prompt_too_long": "allowed: up to {maximum:,} characters",
    "rule.prompt_chinese_advised": "has {count:,} Chinese characters; advised: up to {advised:,}",
    "rule.prompt_words_advised": "has {count:,} English words; advised: up to {advised:,}",
    "rule.duration": "allowed: {allowed}",
    "rule.duration_doubtful": "may be refused: {doubt}; allowed at most: {allowed}",
    "rule.seconds_between": "{minimum} to {maximum} seconds",
    "rule.seconds_or_more": "{minimum} or more seconds",
    "rule.resolution": "allowed: {allowed}",
    "rule.resolution_doubtful": "may be refused: {doubt}; allowed: {allowed}",
    "rule.ratio": "allowed: {allowed}",
    "rule.ratio_doubtful": "may be refused: {doubt}; listed: {listed}",
    "rule.ratio_not_listed": "may be refused: the documents do not list it; listed: {listed}",
    "rule.no_such_setting": "this route has no such setting, leave it unset; its switches: {switches}",
    "rule.orientation_without_effect": (
        "has no effect, because the ratio {ratio} takes precedence; allowed: one of the two"
    ),
    # Which media, and how many.
    "rule.media_refused": "{count:,} given; this route takes none; media that it takes: {taken}",
    "rule.media_doubtful": "{count:,} given; may be refused: {doubt}; allowed for certain: none",
    "rule.media_too_many": "{count:,} given; allowed: up to {maximum}",
    "rule.frame_alone": "cannot be used without {other}; allowed: both together",
    "rule.frame_alone_doubtful": (
        "may be refused: the documents do not say whether it can be used without {other}; allowed for certain: with "
        "{other}"
    ),
    "rule.excluded": "cannot be combined with {others}; allowed: one or the other",
    "rule.audio_alone": "cannot be used alone; allowed: with {parts}",
    "rule.audio_pairing_doubtful": "may be refused: {doubt}; allowed for certain: with at least one of {parts}",
    "rule.expected_missing": "may be refused: {doubt}; allowed for certain: with {parts}",
    # References that a prompt mentions.
    "rule.mention_missing": "mentions {names}, and the row has {given}; allowed: {allowed}",
    "rule.mention_doubtful": (
        "may be misread: it mentions {names}, and the row has {given}; allowed for certain: {allowed}"
    ),
    "mention.more": "{names} and {more:,} more",
    "mention.images": "{count:image|images}",
    "mention.images_beside_frames": ("{count:image|images}, and no document gives first_image or last_image a number"),
    "mention.reference_videos": "{count:reference video|reference videos}",
    "mention.reference_audios": "{count:reference audio|reference audios}",
    "mention.none_allowed": "no {name} without {part}",
    "mention.range_allowed": "{name}1 to {name}{count}",
    # Formats.
    "rule.kind": "is {kind} ({format}) by its content; allowed: {expected}",
    "rule.format": "is {format}; allowed formats: {allowed}",
    "rule.format_of_upload": "is {format}, which the file upload does not take; allowed formats: {allowed}",
    "rule.format_doubtful": "is {format} and may be refused: {doubt}; allowed for certain: {allowed}",
    "format.any_but": "any but {formats}",
    # What is measured of media.
    "rule.measure": "{found}; allowed: {allowed}",
    "rule.measure_doubtful": "{found} and may be refused: {doubt}; allowed for certain: {allowed}",
    "measure.bytes": "has {bytes:,} bytes",
    "measure.total_bytes": "all together have {bytes:,} bytes",
    "measure.seconds": "lasts {seconds} s",
    "measure.total_seconds": "all together last {seconds} s",
    "measure.sides": "has {width} x {height} px",
    "measure.aspect": "has a width/height of {aspect}",
    "measure.fps": "has {fps} frames per second",
    "measure.between": "{low} to {high}{unit}",
    "measure.at_least": "{low}{unit} or more",
    "measure.at_most": "up to {high}{unit}",
    "measure.together": "{span} together",
    "measure.each_side": "each side {span}",
    "measure.ratio": "width/height {span}",
    "measure.megabytes": "{megabytes} MB ({bytes:,} bytes)",
    "measure.bare_bytes": "{bytes:,} bytes",
    # Addresses of media.
    "rule.address": "{problem}; allowed: {allowed}",
    "rule.address_not_taken": "allowed: {allowed}",
    "rule.no_review": "review is set to asset, but this route has no review of assets; allowed: leave review empty",
    "rule.review_undocumented": (
        "this route takes asset:// ids only, and no document says how a file is submitted for review: use ids from the "
        "provider's own review, or set experimental=True on the route block (unconfirmed)"
    ),
    "address.links": "https:// links",
    "address.assets": "asset://<id>",
    "address.data": "data:<type>;base64,<data>",
    "address.paths": "a file's path",
    "address.stores": "an address such as s3://bucket/a.png",
    "address.empty": "is empty",
    "address.character": "contains a character that no address may have, such as a line break",
    "address.not_an_asset": "is not an asset id; write asset://<id>, in lower case",
    "address.not_data": "is not a data URI; write data:image/png;base64,<data>, in lower case",
    "address.not_a_link": "is not a complete link; write spaces and special characters with %",
    "address.plain_http": "is plain http, which is accepted from this machine only",
    "address.not_a_local_file": "is not a file of this machine; write file:///folder/a.png",
    "address.network_share": "begins like a link without https: or like the path of a network share",
    "address.too_long": "is too long for a path; write Base64 as a data URI, data:image/png;base64,<data>",
    "address.not_a_store": (
        "is not the address of a store; write it like s3://bucket/a.png, in lower case up to the bucket"
    ),
    "address.scheme": "{scheme}:// is not supported",
    "address.chained": "chains several addresses with ::, which is not supported",
    "address.password": "contains a password; keys of a store belong in its settings, not in a table",
}
