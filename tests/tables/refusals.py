"""What a table is refused with."""

from __future__ import annotations

import pytest

from prefect_seedance.errors import TableError
from prefect_seedance.tables.reader import read_table


def refusal(source, **options):
    with pytest.raises(TableError) as caught:
        read_table(source, **options).require_good()
    text = str(caught.value)
    assert text.endswith("Nothing was spent.")
    return text
