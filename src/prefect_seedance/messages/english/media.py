"""Texts about a row's media: files, links, assets."""

from __future__ import annotations

_UNCHECKED = "so its size and length were not checked before spending"

MEDIA: dict[str, str] = {
    # Where media may be read from.
    "media.no_root": (
        "{address} is a path on this machine, and no folder is open for reading. Name the folder of the media in "
        "{@media_root}, or in the environment variable {variable} where the flow runs. Nothing was spent."
    ),
    "media.outside_root": (
        "{address} lies outside the folders that may be read: {folders}. Put the file there, or name its folder in "
        "{@media_root}, or in the environment variable {variable} where the flow runs. Nothing was spent."
    ),
    "media.no_path": "{address} is not a path: it is empty or contains control characters. Nothing was spent.",
    "media.home_folder": (
        "{address} starts at a home folder, which differs between machines. Write the path from the table's folder, or "
        "the whole path. Nothing was spent."
    ),
    "media.file_url": (
        "{address} is not a URL of a local file. Write file:///folder/name, or the path alone. Nothing was spent."
    ),
    "media.bad_address": (
        "{address} {problem}. Give a medium as an https:// link, a path, a store's address (s3://…), a data URI or an "
        "asset:// id. Nothing was spent."
    ),
    "media.unknown_store": (
        "{address}: media are not read from {scheme}://. Known stores: {stores}. Use one of them, an https:// link or "
        "a local file. Nothing was spent."
    ),
    "media.no_driver": (
        "{address}: reading from {scheme}:// needs the package {package}, which is not installed where the flow runs: "
        "pip install {package}. Nothing was spent."
    ),
    "media.unsafe_link": (
        "{problem} Media are read from public https addresses; a host at a private address must be allowed by name. "
        "Nothing was spent."
    ),
    # What cannot be read.
    "media.no_such_file": "There is no file {address} in {folders}. Nothing was spent.",
    "media.no_such_object": "There is no file {address}. Nothing was spent.",
    "media.is_folder": "{address} is a folder, not a file. Nothing was spent.",
    "media.not_regular": "{address} is not a regular file. Nothing was spent.",
    "media.unreadable": "{address} cannot be read: {reason}. Nothing was spent.",
    "media.store_denies": (
        "{address} may not be read: the store denies access. Check the credentials of the store where the flow runs. "
        "Nothing was spent."
    ),
    "media.store_trouble": "The store of {address} does not answer as expected ({error}).",
    "media.changed": "{address} changed while it was read. Run again once it is complete. Nothing was spent.",
    "media.too_large": "{address} is larger than {limit:,.0f} MB, the most that can be sent. Nothing was spent.",
    "media.bad_base64": "{address} is truncated or is not Base64. Nothing was spent.",
    "media.not_fetched": "Only a file, a store address or a data URI has content to read here, not {address}.",
    "media.unsupported": "{address} is not an image, video or sound: {reason}. Nothing was spent.",
    "media.damaged": "{address} cannot be used: {reason}. Nothing was spent.",
    "media.not_understood": (
        "{address} cannot be used: looking at it ended in an unforeseen error ({error}). Expected is a complete image, "
        "video or sound. Save it again in another program, and report the error. Nothing was spent."
    ),
    # Warnings of a look at media before spending.
    "media.look_took_long": f"Looking at {{address}} took too long, {_UNCHECKED}.",
    "media.look_failed": "{problem} Size and length of {address} were not checked before spending.",
    "media.look_refused": (
        f"{{address}} (host {{host}}) could not be looked at, {_UNCHECKED}. {{reason}} The provider may be allowed "
        "access where this machine is not; otherwise the row fails there."
    ),
    "media.look_unknown": f"The format of {{address}} is not known, {_UNCHECKED}.",
    "media.look_too_far": (
        f"The description of {{address}} lies beyond the first {{limit}} MB, and no more is read, {_UNCHECKED}."
    ),
    "media.look_no_ranges": (
        f"The description of {{address}} is not found, as its server gives no length and sends no ranges, {_UNCHECKED}."
    ),
    "media.look_unstated": f"The description of {{address}} does not state its length or pixel size, {_UNCHECKED}.",
    "media.look_undecoded": (
        "{address} is too large or of too rare a kind to be decoded here. "
        "Whether it is complete was not checked before spending."
    ),
    "media.wrong_type": "The data URI {address} is declared as {declared} and is {found}.",
    # Why a server did not show a file.
    "media.server_range": "The server sent another range than requested.",
    "media.server_status": "The server answers {status}.",
    "media.server_stops": "The server stopped sending ranges and answers {status}.",
    "media.server_changes": "The file changed while it was read.",
    "media.server_silent": "The server did not answer ({error}).",
    "media.server_breaks_off": "The server broke off ({error}).",
    "media.server_redirects": "The server redirects without end or without a target.",
    "media.server_compresses": "The server compresses the file, which was not requested.",
    # What is wrong with the bytes: each continues a sentence.
    "media.empty": "it is empty",
    "media.other_format": "its content is {format}",
    "media.git_lfs": "it is a Git LFS pointer; the file itself was not checked out (git lfs pull)",
    "media.title_only": "it contains a title and no sound",
    "media.unknown_format": "unsupported media format",
    "media.cut_short": "it is truncated or damaged",
    "media.bytes_missing": "it is truncated: {missing:,} bytes are missing",
    "media.not_decoded": "it is truncated or damaged ({reason})",
    "media.no_streams": "it contains neither picture nor sound",
    "media.impossible_size": "its header states the impossible size {width}x{height}",
    "media.too_many_pixels": (
        "it states {width}x{height} pixels, and pictures of up to {limit} million pixels are read"
    ),
    "media.damaged_header": "its header is damaged",
    # Links, of media and of results.
    "link.invalid": "The link is not valid: {link!r}.",
    "link.not_https": "The link is not an https link: {link!r}.",
    "link.not_encrypted": "The link is not encrypted (http): {link}.",
    "link.with_password": "The link contains a password: {link}.",
    "link.not_public": (
        "The link leads to a {zone} address, which is followed only where that is allowed: {link}. (Some proxy "
        "programs give every name a private address: then allow private addresses.)"
    ),
    "link.unresolved": "The name {name} does not resolve: {reason}.",
    "link.redirect_without_target": "A redirect has no target: {link}.",
    "link.redirected_too_often": "The link was redirected more than {limit} times: {link}.",
}
