"""The manifest of an output folder: a small file that names the ledger which knows what lies there (law 10)."""

from __future__ import annotations

import json
import os
from pathlib import Path

from prefect_seedance.errors import UserMistake

__all__ = ["MANIFEST", "check_manifest"]

MANIFEST = "seedance-ledger.json"


def check_manifest(folder: Path, identity: str, shown_url: str) -> None:
    """Find the folder's manifest and hold it against the ledger in use; write it where there is none.

    Raises:
        UserMistake: The folder belongs to another ledger. Going on would pay again for what that one has.
    """
    path = folder / MANIFEST
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        known = str(found["ledger"])
        where = str(found.get("url", "unknown"))
    except FileNotFoundError:
        _write(path, identity, shown_url)
        return
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserMistake(
            f"The manifest {path} cannot be read ({error}). It names the ledger of this folder; restore it, or use "
            "another output folder. Nothing was spent."
        ) from None
    if known != identity:
        raise UserMistake(
            f"The folder {folder} belongs to another ledger ({known}, last seen at {where}); the one in use is "
            f"{identity} at {shown_url}. With it, everything in this folder would be paid for again. Use the folder's "
            "own ledger (ledger=… or PREFECT_SEEDANCE_LEDGER), or another output folder. Nothing was spent."
        )


def _write(path: Path, identity: str, shown_url: str) -> None:
    told = {
        "what": "This folder is written by prefect-seedance. The ledger named here knows what was paid for.",
        "ledger": identity,
        "url": shown_url,
    }
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    try:
        # Made by a link, so that of two runs that start at once only one writes it.
        os.link(draft, path)
    except FileExistsError:
        pass
    except OSError:
        draft.replace(path)
        return
    draft.unlink()
