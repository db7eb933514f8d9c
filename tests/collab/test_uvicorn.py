"""Collab on another ASGI server: frames go through plain `send`, and the tests of sockets hold there as well."""

import asyncio
import shutil
from collections.abc import Iterator

import pytest

from tests.collab.conftest import Session
from tests.collab.peer import Join
from tests.collab.test_socket import (
    rows,
    test_a_frame_of_a_megabyte_is_not,
    test_a_name_cannot_be_borrowed,
    test_a_new_title_reaches_open_tabs,
    test_a_stock_client_hears_standard_messages_only,
    test_a_viewer_reads_and_writes_nothing,
    test_an_old_page_must_be_reloaded,
    test_an_unknown_address_is_refused,
    test_another_origin_is_refused_before_the_handshake,
    test_nobody_enters_without_signing_in,
    test_poison_and_forgery_are_refused_and_stored_nowhere,
    test_the_greeting_names_the_person_and_the_role,
    test_two_people_write_together,
    test_what_is_no_message_ends_the_tab_and_nobody_elses,
)
from tests.collab.waiting import until
from tests.processes import Leash
from tests.server import Demo, OnUvicorn, Server

__all__ = [
    "test_a_frame_of_a_megabyte_is_not",
    "test_a_name_cannot_be_borrowed",
    "test_a_new_title_reaches_open_tabs",
    "test_a_stock_client_hears_standard_messages_only",
    "test_a_viewer_reads_and_writes_nothing",
    "test_an_old_page_must_be_reloaded",
    "test_an_unknown_address_is_refused",
    "test_another_origin_is_refused_before_the_handshake",
    "test_nobody_enters_without_signing_in",
    "test_poison_and_forgery_are_refused_and_stored_nowhere",
    "test_the_greeting_names_the_person_and_the_role",
    "test_two_people_write_together",
    "test_what_is_no_message_ends_the_tab_and_nobody_elses",
]


@pytest.fixture(scope="module")
def shared(leash: Leash, demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("uvicorn") / "data"
    shutil.copytree(demo.folder, folder)
    server = OnUvicorn(leash, folder, demo, {})
    server.start()
    yield server
    server.stop()


async def test_sigterm_saves_everything(shared: Server, session: Session, join: Join) -> None:
    page = shared.documents[0]
    ada = await (await join(shared, page.id, session("ada"))).open()
    before = len(rows(shared, page.id))
    for number in range(50):
        await ada.type(f"{number} ")
    await until(lambda: ada.saved > 1, "a word saved")
    await asyncio.to_thread(shared.stop)
    await ada.closed()
    assert len(rows(shared, page.id)) > before
    assert ada.refused == {}
    shared.start()
    again = await (await join(shared, page.id, session("ada"))).open()
    # The frames that were called saved are the answer to step 1, then a word each.
    assert ada.saved > 1
    assert "".join(f"{number} " for number in range(ada.saved - 1)) in str(again.text)
