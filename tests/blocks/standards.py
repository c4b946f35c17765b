"""Prefect's standard tests of a block, without a network."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from prefect.blocks.core import Block
from prefect.testing.standard_test_suites import BlockStandardTestSuite

ROOT = Path(__file__).parents[2]
RAW = "https://raw.githubusercontent.com/prefect-seedance/prefect-seedance/main/"


class Standards(BlockStandardTestSuite):
    def test_has_a_valid_image(self, block: type[Block]) -> None:
        """Prefect's own test fetches the picture; ours takes the file that the address publishes."""
        address = str(block._logo_url)
        assert address.startswith(RAW)
        with Image.open(ROOT / address.removeprefix(RAW)) as picture:
            picture.load()
            width, height = picture.size
        assert width == height
        assert 45 < width < 1000
