"""Texts about the providers' answers, and about what cannot be sent to them."""

from __future__ import annotations

PROVIDERS: dict[str, str] = {
    # Accounts.
    "provider.unknown": "There is no provider {provider!r}. Known are: {known}.",
    "provider.no_label": "An account needs a label, for example 'default'.",
    "provider.key_empty": "The API key of {provider} is empty.",
    "provider.key_with_bearer": (
        "The API key of {provider} starts with 'Bearer'. Give the bare key; the word is added automatically."
    ),
    "provider.key_characters": (
        "The API key of {provider} contains spaces or characters that no key has. Check what was pasted."
    ),
    "provider.url_form": "The base URL of {provider} must look like https://host, without spaces.",
    "provider.url_not_bare": "The base URL of {provider} must be a bare address: no user name, no '?', no '#'.",
    "provider.url_plain_http": (
        "The base URL of {provider} is plain http, which would send the key unencrypted to {host}. Use https."
    ),
    "provider.url_path": (
        "The base URL of {provider} ends with {path}. Leave that out; the paths of the API are added automatically."
    ),
    "provider.no_http_client": (
        "No HTTP client can be set up for {provider} ({error}). Check the base URL, the proxy variables of the "
        "environment (SOCKS needs `pip install 'httpx[socks]'`) and SSL_CERT_FILE."
    ),
    "provider.client_closed": "This client is already closed. Nothing was sent.",
    # What cannot be sent.
    "provider.text_not_sendable": (
        "A text contains broken characters (half of a surrogate pair, or control characters) and cannot be sent."
    ),
    "provider.no_field": "{field}={value!r} cannot be sent: {provider} has no such field. Leave it unset.",
    "provider.no_orientation": (
        "orientation={value!r} cannot be sent: {provider} has no such field. Use ratio instead."
    ),
    "provider.bad_id": "{id!r} is not a valid {what} id.",
    "provider.no_upload": (
        "{file!r} cannot be uploaded: {provider} has no file upload. Send a data URI or make an asset."
    ),
    "provider.upload_ending": (
        "{file!r} cannot be uploaded to {provider}: the name must end in one of {endings}. Nothing was sent."
    ),
    "provider.upload_size": (
        "{file!r} cannot be uploaded to {provider}: it has {size} bytes, and 1 to {limit} (100 MB) are allowed. "
        "Nothing was sent."
    ),
    "provider.mime_type": "{type!r} is not a MIME type. Nothing was sent.",
    "provider.file_changed": "{file} changed while it was uploaded. Try again.",
    "provider.file_unreadable": "{file} cannot be uploaded: {reason}. Nothing was kept.",
    "provider.no_library": "{provider} has no library {library!r}; it has {libraries}. Nothing was sent.",
    "provider.no_groups": "{provider} has no groups of assets. Nothing was sent.",
    "provider.no_asset_list": "{provider} has no list of assets. Nothing was sent.",
    "provider.asset_without_group": "An asset of {provider} needs a group. Make one with create_group.",
    "provider.asset_url": "{url!r} cannot be reviewed at {provider}. Give a public URL or a data URI.",
    "provider.asset_not_public": (
        "{url!r} cannot be reviewed at {provider}, which takes a public URL. Upload the file first."
    ),
    "provider.portrait_kind": "A portrait must be an image, not {kind}.",
    # No answer, or none that can be read.
    "provider.no_connection": "No connection to {provider}: {reason}. Nothing was sent.",
    "provider.answer_lost": "{provider} may have accepted this paid call, but its answer was lost: {reason}",
    "provider.answer_unreadable": "{provider} gave an unreadable answer: {reason}",
    "provider.no_answer": "{provider} gave no answer: {reason}",
    "provider.silent": "{provider} gave no answer to a free question within {seconds:g} s.",
    # Answers; `words` are the provider's own.
    "provider.refused": "{provider} refused: {words}",
    "provider.rate_limited": "{provider} accepts no more for now: {words}",
    "provider.rate_limited_for": "{provider} accepts no more for now (asks to wait {seconds:g} s): {words}",
    "provider.audit_refused": "{provider} did not accept the asset for its audit: {words}",
    "provider.duplicate_name": "{refusal}; look it up instead of making it again",
    "provider.unknown_job": "{provider} does not know this job: {words}",
    "provider.unknown_asset": "{provider} does not know this asset: {words}",
    "provider.unusable_answer": "{provider} gave no usable answer (HTTP {status}): {words}",
    "provider.nothing_proven": (
        "The answer of {provider} (HTTP {status}) does not prove whether the {what} was made: {words}"
    ),
    "provider.names_job": "{words}; it names {what} {job}, which may exist and cost",
    "provider.other_job": "{provider} was asked about job {asked}, and answered about job {named}",
    "provider.redirects": "{words}; it points to {target}: is the base URL right?",
    "provider.without_words": "(no words)",
    "provider.empty_answer": "(empty body)",
}
