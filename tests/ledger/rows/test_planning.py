from __future__ import annotations

import asyncio
import itertools
import unicodedata
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from prefect_seedance.errors import InputError, LedgerError
from prefect_seedance.ledger import Ledger, State
from prefect_seedance.ledger.rows import lookups, planning, transitions


async def test_a_changed_request_says_what_changed_and_what_can_be_done(bench: Any, plan_of: Any) -> None:
    await bench.ledger.write(planning.plan, bench.run, "1", [plan_of("a"), plan_of("b")])
    request = {"prompt": "x" * 200, "ratio": "16:9"}
    changed = plan_of("b", fingerprint="1:other", request=request, model="seedance2.0-md")
    with pytest.raises(InputError) as text:
        await bench.ledger.write(planning.plan, bench.run, "1", [plan_of("a"), changed, plan_of("c")])
    message = str(text.value)
    for part in (
        "1 row was planned with another request before, in batch 'spring' (take '1')",
        "row 'b': model was 'seedance2.0-mini', is 'seedance2.0-md'",
        "prompt was '一只猫 b', is 'xxxx",
        "duration was 5, is not set",
        "ratio was not set, is '16:9'",
        "run only these rows (only)",
        'take="2"',
        "new batch name",
        "Nothing was spent.",
    ):
        assert part in message
    assert "x" * 100 not in message
    assert [row.key for row in await bench.ledger.read(lookups.rows_of, "spring")] == ["a", "b"]
    # What it offers works.
    await bench.ledger.write(planning.plan, bench.run, "2", [changed])
    other = await bench.ledger.begin_run("summer")
    await bench.ledger.write(planning.plan, other, "1", [changed])


async def test_many_changed_rows_are_counted_not_listed(bench: Any, plan_of: Any) -> None:
    keys = [f"k{number:04}" for number in range(700)]
    await bench.ledger.write(planning.plan, bench.run, "1", [plan_of(key) for key in keys])
    with pytest.raises(InputError, match=r"^700 rows were") as text:
        await bench.ledger.write(planning.plan, bench.run, "1", [plan_of(key, fingerprint="1:new") for key in keys])
    assert str(text.value).count("- row ") == 10
    assert "… and 690 more" in str(text.value)


async def test_another_account_or_file_name_is_no_other_request(bench: Any, plan_of: Any) -> None:
    ids = await bench.ledger.write(planning.plan, bench.run, "1", [plan_of("a")])
    again = await bench.ledger.write(planning.plan, bench.run, "1", [plan_of("a", account="second", file_name="zzz")])
    assert again == ids
    assert (await bench.ledger.row(ids["a"])).file_name == "a"


async def test_one_key_twice_is_refused(bench: Any, plan_of: Any) -> None:
    with pytest.raises(InputError, match="more than once: 'a'"):
        await bench.ledger.write(planning.plan, bench.run, "1", [plan_of("a"), plan_of("b"), plan_of("a")])
    assert await bench.ledger.read(lookups.rows_of, "spring") == []


async def test_more_rows_than_one_statement_carries(bench: Any, plan_of: Any) -> None:
    plans = [plan_of(f"k{number}") for number in range(1201)]
    ids = await bench.ledger.write(planning.plan, bench.run, "1", plans)
    assert len(set(ids.values())) == 1201
    assert await bench.ledger.write(planning.plan, bench.run, "1", plans) == ids
    assert await bench.ledger.write(planning.claim, bench.run, set(ids.values())) == set(ids.values())
    other = await bench.ledger.begin_run("spring")
    assert await bench.ledger.write(planning.claim, other, set(ids.values())) == set()
    assert set(await bench.ledger.read(lookups.rows_by_id, ids.values())) == set(ids.values())
    assert [row.key for row in await bench.ledger.read(lookups.rows_of, "spring", "1")] == [plan.key for plan in plans]


async def test_a_row_is_found_by_its_key_and_take(bench: Any, plan_of: Any) -> None:
    await bench.ledger.write(planning.plan, bench.run, "1", [plan_of("a")])
    await bench.ledger.write(planning.plan, bench.run, "2", [plan_of("a"), plan_of("A")])
    found = await bench.ledger.read(lookups.row_by_key, "spring", "2", "a")
    assert (found.take, found.key, found.request["duration"]) == ("2", "a", 5)
    assert await bench.ledger.read(lookups.row_by_key, "spring", "1", "A") is None
    assert await bench.ledger.read(lookups.row_by_key, "summer", "1", "a") is None
    with pytest.raises(LedgerError, match="no row with the id"):
        await bench.ledger.row(999)


async def test_rows_of_another_batch_are_not_taken(bench: Any) -> None:
    (row,) = await bench.rows("a")
    await bench.ledger.end_run(bench.run)
    summer = await bench.ledger.begin_run("summer")
    assert await bench.ledger.write(planning.claim, summer, [row]) == set()


async def test_runs_that_start_at_once_never_share_a_row(bench: Any, url: str, plan_of: Any) -> None:
    second = await Ledger.open(url)
    plans = [plan_of(f"k{number}") for number in range(40)]

    async def start(ledger: Ledger, name: str) -> set[int]:
        run = await ledger.begin_run(name)
        ids = await ledger.write(planning.plan, run, "1", plans)
        return await ledger.write(planning.claim, run, ids.values())

    takings = await asyncio.gather(*(start(ledger, "new") for ledger in (bench.ledger, second) * 3))
    await second.close()
    assert sum(map(len, takings)) == len(set.union(*takings)) == 40


async def test_a_new_attempt_knows_nothing_of_the_earlier_file(bench: Any) -> None:
    (row,) = await bench.rows("a")
    first = await bench.stored(row)
    await bench.ledger.write(transitions.refetch, bench.run, row)
    await bench.ledger.write(transitions.expire, bench.run, row, LedgerError("the link is dead"))
    assert await bench.ledger.write(planning.claim, bench.run, [row]) == {row}
    assert await bench.state(row) is State.EXPIRED  # left alone unless asked
    await bench.ledger.write(planning.claim, bench.run, [row], frozenset({State.EXPIRED}))
    assert await bench.state(row) is State.EXPIRED  # its job is asked about first
    await bench.ledger.write(planning.plan_again, bench.run, [row])
    record = await bench.ledger.row(row)
    assert record.state is State.PLANNED
    assert (record.path, record.sha256, record.bytes, record.modified_ns, record.error_kind) == (None,) * 5
    second = await bench.created(row)
    attempts = await bench.ledger.read(lookups.attempts_of, "spring")
    assert [(attempt.id, attempt.number) for attempt in attempts] == [(first, 1), (second, 2)]
    assert attempts[0].charge is not None  # what was paid stays paid


async def test_a_message_that_no_database_can_keep_costs_no_record(bench: Any) -> None:
    (row,) = await bench.rows("a")
    attempt = await bench.sent(row)
    error = LedgerError("broken \ud83d half\0", code="\udfff", request_id="\0")
    await bench.ledger.refuse(bench.run, row, attempt, error, State.UNKNOWN)
    record = await bench.ledger.row(row)
    assert record.state is State.UNKNOWN
    assert record.error_message.startswith("broken ")


async def test_a_token_count_beyond_reason_costs_no_record(bench: Any) -> None:
    from prefect_seedance.ledger import Charge, Settlement

    (row,) = await bench.rows("a")
    await bench.created(row)
    await bench.ledger.write(
        transitions.succeed, bench.run, row, Charge(Settlement.CHARGED, tokens=10**30), link_expires_at=None
    )
    record = await bench.ledger.row(row)
    assert (record.state, record.attempt.tokens, record.attempt.charge) == (State.SUCCEEDED, None, None)


NUMBERS = itertools.count()
# Names that are one file on some file system: in another case, composed otherwise, or made to look like our own mark.
NAMES = st.sampled_from(["Straße", "STRASSE", "strasse", "é", "e\u0301", "É", "猫", "a", "A", "a-1", "İ", "i\u0307"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(takes=st.lists(st.tuples(st.sampled_from("123"), st.lists(NAMES, min_size=1, max_size=6)), max_size=4))
async def test_no_two_rows_of_a_batch_share_a_file(bench: Any, plan_of: Any, takes: Any) -> None:
    run = await bench.ledger.begin_run(f"names {next(NUMBERS)}")
    for take, names in takes:
        await bench.ledger.write(
            planning.plan, run, take, [plan_of(f"{i} {name}", file_name=name) for i, name in enumerate(names)]
        )
    rows = await bench.ledger.read(lookups.rows_of, run.batch)

    def on_disk(name: str) -> str:
        return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())

    assert len({on_disk(row.file_name) for row in rows}) == len(rows)
    firsts: dict[str, str] = {}
    for row in rows:
        wished = row.key.partition(" ")[2]
        assert row.file_name.startswith(wished)
        # Whoever comes first keeps the plain name.
        if on_disk(wished) not in firsts:
            assert row.file_name == wished
        firsts[on_disk(wished)] = row.key


async def test_a_name_made_to_clash_with_our_mark_still_finds_its_place(bench: Any, plan_of: Any) -> None:
    await bench.ledger.write(
        planning.plan, bench.run, "1", [plan_of("x", file_name="same"), plan_of("y", file_name="same")]
    )
    marked = (await bench.ledger.read(lookups.row_by_key, "spring", "1", "y")).file_name
    other = await bench.ledger.begin_run("summer")
    plans = [plan_of("z", file_name=marked), plan_of("x", file_name="same"), plan_of("y", file_name="same")]
    await bench.ledger.write(planning.plan, other, "1", plans)
    assert len({row.file_name for row in await bench.ledger.read(lookups.rows_of, "summer")}) == 3


async def test_a_request_is_kept_as_it_is_written_and_read_back_whatever_it_holds(bench: Any, plan_of: Any) -> None:
    prompts = {"a": "一只猫", "b": "half \ud83d", "c": "nul \0 and \u2028"}
    plans = [plan_of(key, request={"prompt": prompt}) for key, prompt in prompts.items()]
    await bench.ledger.write(planning.plan, bench.run, "1", plans)
    assert {row.key: row.request["prompt"] for row in await bench.ledger.read(lookups.rows_of, "spring")} == prompts
    # Escaped, Chinese would take twice the room.
    assert bench.query("SELECT request FROM seedance_rows WHERE key = 'a'") == [('{"prompt": "一只猫"}',)]


async def test_the_latest_attempts_come_with_their_rows_and_the_earlier_ones_apart(bench: Any, plan_of: Any) -> None:
    first, second, third = await bench.rows("a", "b", "c")
    await bench.stored(first)
    attempt = await bench.sent(second)
    await bench.ledger.refuse(bench.run, second, attempt, InputError("no"), State.DEFERRED)
    await bench.created(second)
    await bench.ledger.withdraw(bench.run, third, await bench.sent(third))
    latest = [row.attempt for row in await bench.ledger.read(lookups.rows_of, "spring") if row.attempt is not None]
    earlier = await bench.ledger.read(lookups.earlier_attempts_of, "spring")
    assert attempt in {each.id for each in earlier}
    together = sorted([*latest, *earlier], key=lambda each: each.id)
    assert together == await bench.ledger.read(lookups.attempts_of, "spring")


@pytest.mark.parametrize("many", [False, True])
async def test_marks_tell_of_the_rows_that_are_asked_for(bench: Any, plan_of: Any, many: bool) -> None:
    ids = await bench.ledger.write(planning.plan, bench.run, "1", [plan_of(key) for key in "abc"])
    await bench.ledger.write(planning.plan, bench.run, "2", [plan_of("a", file_name="a2")])
    keys = ["a", "c", "new", *(f"n{number}" for number in range(1000 if many else 1))]
    marks = await bench.ledger.read(lookups.marks_of, "spring", "1", keys)
    assert {key: marks[key].id for key in keys if key in marks} == {"a": ids["a"], "c": ids["c"]}
    for mark in marks.values():
        row = await bench.ledger.row(mark.id)
        assert all(getattr(row, name) == getattr(mark, name) for name in type(mark).__slots__)


async def test_a_moved_folder_takes_its_own_batch_and_take_along(bench: Any, plan_of: Any) -> None:
    """And of these the rows that are not finished: a file that is stored stays where it is known to be."""
    (done,) = await bench.rows("done")
    await bench.stored(done)
    bench.query("UPDATE seedance_rows SET folder = '/old'")
    other = await bench.ledger.begin_run("summer")
    plans = [plan_of("a", folder="/old"), plan_of("b", folder="/old")]
    await bench.ledger.write(planning.plan, bench.run, "1", plans)
    await bench.ledger.write(planning.plan, bench.run, "2", plans[:1])
    await bench.ledger.write(planning.plan, other, "1", plans[:1])
    await bench.ledger.write(planning.change_folder, bench.run, "1", "/new")
    found = [row for name in ("spring", "summer") for row in await bench.ledger.read(lookups.rows_of, name)]
    assert {(row.batch, row.take, row.key): row.folder for row in found} == {
        ("spring", "1", "done"): "/old",
        ("spring", "1", "a"): "/new",
        ("spring", "1", "b"): "/new",
        ("spring", "2", "a"): "/old",
        ("summer", "1", "a"): "/old",
    }
