"""A large table is checked by kinds of rows, and the answer is the one that each row would get alone."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from prefect_seedance.planning.plan import gather
from prefect_seedance.providers import Account, RouteSettings
from prefect_seedance.routes import Prices, VideoRequest, find
from prefect_seedance.tables.reader import read_table

ACCOUNT = Account(provider="jimmy", label="default", base_url="http://127.0.0.1:9", api_key=SecretStr("sk_none"))
PRICES = Prices.parse("CNY", {"seedance2.0-mini-720p": "0.05"})
ROUTES = (
    RouteSettings(ACCOUNT, find("seedance2.0-mini"), VideoRequest(ratio="16:9"), PRICES),
    RouteSettings(ACCOUNT, find("seedance2.0-sp"), VideoRequest(prompt="a lamp", resolution="480p")),
)
PROMPTS = st.sampled_from(
    ["a cat", "一只猫", "", "@image1 runs", "@image 1 runs", "cat " * 600, "猫" * 800, "c" * 30_000]
)
ROWS = st.fixed_dictionaries(
    {
        "prompt": PROMPTS,
        "model": st.sampled_from(["", "seedance2.0-mini", "seedance2.0-sp", "no-such"]),
        "duration": st.sampled_from(["", "5", "12", "99"]),
        "ratio": st.sampled_from(["", "9:16", "5:4"]),
        "images": st.sampled_from(["", "https://example.com/a.png", "https://example.com/a.svg"]),
    }
)


@settings(deadline=None)
@given(st.lists(ROWS, min_size=2, max_size=12))
def test_rows_beside_each_other_are_judged_as_if_alone(rows):
    table = read_table([{"id": f"r{number}", **row} for number, row in enumerate(rows)])
    together = gather(table, ROUTES)
    alone = [gather(replace(table, rows=[row], bad={}), ROUTES) for row in table.rows]
    assert together.rows == [row for found in alone for row in found.rows]
    broken = {row.position for row in together.invalid} - table.bad.keys()
    assert [row for row in together.invalid if row.position in broken] == [r for found in alone for r in found.invalid]


def test_a_result_of_any_size_is_named_in_a_line():
    """asyncio looks at the repr of what a coroutine answers: of a hundred thousand rows that takes gigabytes."""
    table = read_table([{"prompt": f"a cat {number}"} for number in range(300)])
    assert len(repr(table)) < 400
    assert len(repr(gather(table, ROUTES))) < 200
