"""Messages that a transport hands over as it reads them: what is dealt with at once, and how that ends."""

import pytest
from pytest_django import Settings

from collab import protocol
from collab.consumers import LARGE_FRAME, _take
from collab.pace import Pace
from collab.protocol import Close
from tests.collab.crafted import typed
from tests.collab.tabs import ALICE, BOB, Office

EDIT = protocol.update(typed(5, 0, "hello"))


async def test_a_message_is_dealt_with_at_once(office: Office) -> None:
    tab, bob = office.enter(ALICE), office.enter(BOB)
    assert _take(tab.connection, Pace(), EDIT)
    assert office.room.replica.clocks == {5: 5}
    assert bob.wire.code is None


async def test_a_large_message_is_left_for_a_thread(office: Office) -> None:
    tab = office.enter(ALICE)
    assert not _take(tab.connection, Pace(), protocol.update(typed(5, 0, "x" * LARGE_FRAME)))
    assert office.room.replica.clocks == {}


async def test_what_comes_too_fast_is_left_to_wait(office: Office, settings: Settings) -> None:
    settings.MAX_FRAMES_PER_SECOND = 1
    tab, pace = office.enter(ALICE), Pace()
    took = [_take(tab.connection, pace, protocol.update(typed(5, clock, "x"))) for clock in range(4)]
    assert took == [True, True, False, False]
    assert office.room.replica.clocks == {5: 2}


async def test_what_is_no_message_closes_the_connection(office: Office) -> None:
    tab, bob = office.enter(ALICE), office.enter(BOB)
    assert _take(tab.connection, Pace(), b"\xff")
    assert (tab.wire.code, bob.wire.code) == (Close.MALFORMED, None)


class _Panic(BaseException):
    pass


@pytest.mark.parametrize("error", [RuntimeError, _Panic])
async def test_an_error_closes_the_connection(
    office: Office, monkeypatch: pytest.MonkeyPatch, error: type[BaseException]
) -> None:
    """Its frame was counted: if the connection went on, a later one's commit would call it saved."""

    def fail(*arguments: object, **more: object) -> str:
        raise error

    tab, bob = office.enter(ALICE), office.enter(BOB)
    monkeypatch.setattr(office.room, "edit", fail)
    if issubclass(error, Exception):
        assert _take(tab.connection, Pace(), EDIT)
    else:
        with pytest.raises(error):
            _take(tab.connection, Pace(), EDIT)
    assert (tab.wire.code, bob.wire.code) == (Close.INTERNAL_ERROR, None)
    assert tab.connection not in office.room.members
