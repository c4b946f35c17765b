"""The addresses of the blocks' logo and documentation."""

from pydantic import HttpUrl

__all__ = ["DOCUMENTATION", "LOGO"]

PROJECT = "https://github.com/prefect-seedance/prefect-seedance"

LOGO = HttpUrl("https://raw.githubusercontent.com/prefect-seedance/prefect-seedance/main/docs/images/logo.png")
DOCUMENTATION = HttpUrl(f"{PROJECT}#readme")
