"""Where an answer names a job: its fields, its text, its headers and `Location`.

An answer may contain the ids of several systems: a relay puts the record of its upstream inside its own. So fields are
read from the outside in, and what stands further inside never counts as another job.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from prefect_seedance.providers.answers import Answer
from prefect_seedance.providers.reading import LONGEST_ID, identifier, read_json

__all__ = ["job_of_success", "jobs_named", "names_other_job"]

_JOB_KEYS = frozenset({"taskid", "jobid", "videoid"})
"""Names of fields and headers, in lower case without `_`, `-` and a leading `x-`."""

_DEEPEST = 4
_PREFIXED = re.compile(r"\b(?:cgt-|asyntask_|vid_)[A-Za-z0-9][\w-]{5,}", re.ASCII)
# A match ends with the name, and looks no further than an id can reach: a body may be a million characters that repeat
# one name.
_AFTER_ITS_NAME = re.compile(
    rf"(?:(?:task|job|video)[_ -]?id|任务\s{{0,8}}(?:id|编号|号))(?=\W{{1,8}}([A-Za-z0-9][\w-]{{5,{LONGEST_ID}}}))",
    re.IGNORECASE | re.ASCII,
)
_IN_LOCATION = re.compile(r"/(?:videos?|tasks?|jobs?|generations?)/(?=[^/]*\d)([^/]+)/?$")
_URL = re.compile(r"(?:https?|asset)://[^\s\"'<>]+", re.IGNORECASE)
_DIGIT = re.compile(r"[0-9]")
_PLAUSIBLE = re.compile(r"(?=.*\d)[A-Za-z0-9][\w-]{5,}", re.ASCII)


def job_of_success(body: Mapping[str, Any], *, coded: bool) -> str | None:
    """Return the one job that a success names: in the body, or in what its `data` contains.

    `data` may be an object, a list of one, and the bare id. The outermost record that names a job decides.

    Args:
        body: The body of an answer that is no error.
        coded: Whether it has a success code. Without one, only the documented fields of a record count.
    """
    value: Any = body
    for depth in range(_DEEPEST):
        if isinstance(value, list) and len(value) == 1 and coded:
            value = value[0]
        if isinstance(value, str) and depth > 0 and coded:
            # A text such as "ok" or "queued" is no id.
            return value if _PLAUSIBLE.fullmatch(value) else None
        if not isinstance(value, Mapping):
            return None
        named = _ids(value, bare=True)
        if named:
            documented = _once(job for name in ("task_id", "taskId") if (job := identifier(value.get(name))))
            of_job = documented or named
            return of_job[0] if len(of_job) == 1 else None
        value = value.get("data")
    return None


def jobs_named(answer: Answer) -> tuple[str, ...]:
    """Return the ids of jobs that an answer contains anywhere, each once; at most those of one place.

    The places, in this order: the outermost objects of the body that have such a field, headers, `Location`, and text.
    """
    for objects in _levels(read_json(answer.body)):
        named = _once(job for source, is_record in objects for job in _ids(source, bare=is_record))
        if named:
            return named
    headers = {name.lower().removeprefix("x-"): value for name, value in answer.headers.items()}
    named = _once(job for name, value in headers.items() if _is_job_key(name) and (job := identifier(value)))
    if named:
        return named
    named = _once(job for name in ("location", "content-location") if (job := _in_location(headers.get(name, ""))))
    return named or _once(
        job for text in (answer.body.decode("utf-8", "replace"), *headers.values()) for job in _in_text(text)
    )


def names_other_job(asked: str, *records: Mapping[str, Any]) -> str | None:
    """Return the id of the answer to a query, if it is that of another job than the one asked for.

    Only the outermost record that has an id counts, and only an id of the same form: a relay may know a job under two
    ids, and may number its records.

    Args:
        asked: The id that was asked for.
        records: The records of the answer from the outside in, without that of the upstream.
    """
    for record in records:
        keys = [name for name in record if _is_job_key(name) or name == "id"]
        named = [job for name in keys if (job := identifier(record[name])) is not None]
        if named:
            others = [job for job in named if _same_form(asked, job)]
            return None if asked.casefold() in map(str.casefold, named) or not others else others[0]
    return None


def _is_job_key(name: str) -> bool:
    return name.lower().replace("_", "").replace("-", "") in _JOB_KEYS


def _ids(source: Mapping[str, Any], *, bare: bool) -> tuple[str, ...]:
    """The ids of jobs in the fields of an object; a bare `id` counts where no field says more."""
    named = _once(job for name, value in source.items() if _is_job_key(name) and (job := identifier(value)))
    if not named and bare and (job := identifier(source.get("id"))) is not None:
        return (job,)
    return named


def _levels(value: object) -> Iterator[list[tuple[Mapping[str, Any], bool]]]:
    """Yield the objects of an answer level by level, and whether an `id` in them would be that of a job."""
    level = list(_objects(value, is_record=True))
    for _ in range(_DEEPEST):
        yield level
        level = [
            found
            for source, is_record in level
            for name, inner in source.items()
            for found in _objects(inner, is_record=is_record and name == "data")
        ]


def _objects(value: object, *, is_record: bool) -> Iterator[tuple[Mapping[str, Any], bool]]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict) and item:  # of a hostile answer there may be hundreds of thousands
            yield item, is_record


def _in_location(location: str) -> str | None:
    try:
        path = urlsplit(location).path
    except ValueError:
        return None
    found = _IN_LOCATION.search(path)
    return identifier(unquote(found.group(1))) if found else None


def _in_text(text: str) -> Iterator[str]:
    text = _URL.sub(_without_media, text)
    yield from (found.group(0) for found in _PREFIXED.finditer(text))
    followers = (found.group(1) for found in _AFTER_ITS_NAME.finditer(text))
    yield from (job for job in followers if len(job) <= LONGEST_ID and _DIGIT.search(job))


def _without_media(url: re.Match[str]) -> str:
    """Leave out the addresses of the user's media: their file names may look like ids."""
    address = url.group(0)
    is_media = address.lower().startswith("asset:") or "." in address.split("?")[0].rsplit("/", 1)[-1]
    return " " if is_media else address


def _same_form(one: str, other: str) -> bool:
    """Whether two ids are of one kind: they share a prefix (`cgt-`, `vid_`), or only letters and digits differ."""
    prefixes = [re.match(r"[A-Za-z]+(?=[-_])", job) for job in (one, other)]
    if prefixes[0] and prefixes[1] and prefixes[0].group(0).lower() == prefixes[1].group(0).lower():
        return True
    shapes = [re.sub(r"[A-Za-z]", "a", re.sub(r"\d", "0", job)) for job in (one, other)]
    if shapes[0] == shapes[1]:
        return True
    # Hexadecimal ids mix letters and digits.
    return len(one) == len(other) >= 16 and re.sub(r"[0a]", "x", shapes[0]) == re.sub(r"[0a]", "x", shapes[1])


def _once(jobs: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(jobs))
