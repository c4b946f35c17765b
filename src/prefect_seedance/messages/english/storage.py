"""Texts about output folders and stores."""

from __future__ import annotations

STORAGE: dict[str, str] = {
    # What was given as the output.
    "output.not_a_place": (
        "{@output:{where}}: expected a folder, or a URL such as s3://bucket/prefix. Nothing was spent."
    ),
    "output.chained_url": (
        "{@output:{where}::…}: expected one plain URL, such as s3://bucket/prefix, without '::'. Nothing was spent."
    ),
    "output.file_url": "{@output:{where}}: a file URL needs three slashes, file:///folder. Nothing was spent.",
    "output.with_password": (
        "{@output:{where}} has a password in it. It would be stored and shown with the results. Give the credentials "
        "by the environment of the machine instead. Nothing was spent."
    ),
    "output.bad_url": (
        "{@output:{where}}: expected a URL such as s3://bucket/prefix, without '?', '#', '..' and empty folders. "
        "Nothing was spent."
    ),
    "output.unknown_store": (
        "{@output:{where}}: nothing can be written to {scheme}://. Expected a folder, or a URL such as "
        "s3://bucket/prefix or gs://bucket/prefix. Nothing was spent."
    ),
    "output.no_extra": (
        "{@output:{where}}: the driver for {scheme}:// is not installed here: "
        'pip install "prefect-seedance[{extra}]". Nothing was spent.'
    ),
    "output.no_driver": (
        "{@output:{where}}: the driver for {scheme}:// is not installed here: install its fsspec driver ({reason}). "
        "Nothing was spent."
    ),
    "output.not_opened": "{@output:{where}} cannot be opened: {reason}. Nothing was spent.",
    # Folders on a disk.
    "storage.folder_blocked": (
        "The folder {folder} cannot be created: there is a file of that name in its way. Move the file away, or choose "
        "another folder."
    ),
    "storage.link_inside": (
        "{path} is a symbolic link. Inside the output folder {folder} nothing is written through links, since they may "
        "lead to other files. Put a real folder in its place, or give the folder that it leads to as output."
    ),
    "storage.low_space": (
        "The disk of {folder} has {free:,.0f} MB free, and about {needed:,.0f} MB are needed. Free some space, or "
        "choose another output folder."
    ),
    "storage.disk_full": "The disk is full: {path} cannot be written. What was downloaded so far is kept.",
    "storage.no_permission": (
        "No permission to write {path}: {reason}. Allow this user to write there, or choose another folder."
    ),
    "storage.disk_error": "{path} cannot be written: {reason}. Look at the disk, or choose another folder.",
    "storage.no_temporary_folder": (
        "No folder for temporary files can be created: {reason}. Free some space, or set TMPDIR to a folder that this "
        "process may write to. Nothing was spent."
    ),
    "storage.path_blocked": (
        "{path} cannot be written: there is a file in the way of a folder, or a folder in the way of a file."
    ),
    "storage.file_exists": (
        "{path} exists already and is another file. It was not changed; the new video is kept as {part}."
    ),
    # Object stores.
    "storage.low_space_for_parts": (
        "Videos for {output} are downloaded to {folder} first, and that disk has {free:,.0f} MB free; about "
        "{needed:,.0f} MB are needed. Nothing was spent."
    ),
    "storage.store_unusable": "{problem} Nothing was spent.",
    "storage.store_denies": (
        "No permission to use {path}: {reason}. Check the credentials of this machine and what they allow (reading, "
        "writing and listing)."
    ),
    "storage.no_such_store": "{path} cannot be written: {reason}. Does the bucket exist?",
    "storage.no_credentials": (
        "{path} cannot be used: {reason}. Give this machine credentials in the way that the store's driver reads them "
        "(for S3: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)."
    ),
    "storage.store_unreachable": "{path} cannot be used now: {reason}.",
    "storage.not_stored": "{path} was written with {bytes:,} bytes, and the store reports no file there.",
    "storage.other_size": "{path} was written with {bytes:,} bytes, and the store reports {found:,} bytes there.",
}
