"""One create with one published client, as its documents show it. Runs in the temporary environment.

    python -m billing.published openai http://127.0.0.1:8000 [read timeout]

Prints one JSON object: the client's version, and how the call ended.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from importlib.metadata import version
from typing import Any

from billing.faults import PROMPT


def fal(_url: str, timeout: float | None) -> Any:
    """The queue's host is an environment variable (FAL_QUEUE_RUN_HOST), which is read at import."""
    import fal_client  # noqa: PLC0415 - each run needs one client only

    client = fal_client.SyncClient() if timeout is None else fal_client.SyncClient(default_timeout=timeout)
    return client.submit("fal-ai/bytedance/seedance/v1/lite/text-to-video", {"prompt": PROMPT}).request_id


def runway(url: str, timeout: float | None) -> Any:
    from runwayml import RunwayML  # noqa: PLC0415

    options = {} if timeout is None else {"timeout": timeout}
    client = RunwayML(api_key="key", base_url=url, **options)
    return client.text_to_video.create(model="seedance2", prompt_text=PROMPT, ratio="1280:720", duration=5).id


def replicate(url: str, timeout: float | None) -> Any:
    """`run` sets a read timeout of its own, half a second above `wait`; the client's `timeout=` does not reach it."""
    from replicate.client import Client  # noqa: PLC0415

    options = {} if timeout is None else {"wait": round(timeout - 0.5)}
    client = Client(api_token="key", base_url=url)
    return client.run("bytedance/seedance-1-lite", input={"prompt": PROMPT}, **options).url


def openai(url: str, timeout: float | None) -> Any:
    from openai import OpenAI  # noqa: PLC0415

    warnings.simplefilter("ignore", DeprecationWarning)  # its only method for making a video is deprecated
    options = {} if timeout is None else {"timeout": timeout}
    return OpenAI(api_key="key", base_url=f"{url}/v1", **options).videos.create(prompt=PROMPT).id


CREATES = {"fal-client": fal, "runwayml": runway, "replicate": replicate, "openai": openai}


def main() -> None:
    name, url, *timeout = sys.argv[1:]
    began = time.monotonic()
    try:
        made = CREATES[name](url, float(timeout[0]) if timeout else None)
        end = {"ok": True, "end": str(made)}
    except Exception as error:  # noqa: BLE001 - any error that the client raises is its result
        end = {"ok": False, "end": type(error).__name__}
    print(json.dumps({"version": version(name), **end, "seconds": time.monotonic() - began}))


if __name__ == "__main__":
    main()
