"""Which answer closes the circuit of a route: that of the probe, and of no create from before."""

from __future__ import annotations

import pytest

from prefect_seedance.accounts.send_gate import IN_A_ROW, PROBES, Sender, SendGate
from prefect_seedance.errors import RoutePaused, UnknownOutcome

MINI = "seedance2.0-mini"
LOST = UnknownOutcome("a 502 page")
RUN = Sender("run", patience=0)


async def asked() -> None:
    """The free question is answered."""


async def opened() -> SendGate:
    gate = SendGate()
    async with gate.turn(MINI, RUN, asked) as turn:
        gate.answered(MINI, turn)
    assert gate.lets(MINI, None)
    assert [gate.unknown(MINI, None, RUN, LOST) for _ in range(IN_A_ROW)] == [False] * (IN_A_ROW - 1) + [True]
    assert not gate.lets(MINI, None)
    return gate


async def test_the_answer_of_the_probe_closes_the_circuit() -> None:
    gate = await opened()
    async with gate.turn(MINI, RUN, asked) as probe:
        assert probe is not None
        gate.answered(MINI, probe)
    assert gate.lets(MINI, None)


async def test_an_answer_to_a_create_from_before_says_nothing_about_now() -> None:
    gate = await opened()
    async with gate.turn(MINI, RUN, asked) as earlier:
        assert earlier is not None
    for turn in (None, earlier):
        gate.answered(MINI, turn)
        assert not gate.lets(MINI, None)
    async with gate.turn(MINI, RUN, asked) as probe:
        gate.answered(MINI, earlier)
        assert gate.lets(MINI, probe), "nor does it end the turn of the probe"
        assert not gate.lets(MINI, earlier)
        assert not gate.lets(MINI, None)


async def test_only_unknown_probes_are_counted() -> None:
    gate = await opened()
    for _ in range(PROBES):
        gate.unknown(MINI, None, RUN, LOST)
    assert gate.reason(MINI, RUN) is None
    for _ in range(PROBES):
        async with gate.turn(MINI, RUN, asked) as probe:
            gate.unknown(MINI, probe, RUN, LOST)
    with pytest.raises(RoutePaused, match="a 502 page"):
        async with gate.turn(MINI, RUN, asked):
            pass
    assert gate.reason(MINI, Sender("later run", patience=0)) is None
