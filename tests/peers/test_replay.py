"""Two stock Yjs clients type a whole session through the server; all of them, and the database, end with its text."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.peers.conftest import RunPeer
from tests.peers.trace import make_trace
from tests.server import ROOT, Person, Server, StartServer, sign_in

RECORDED = ROOT.parent / "shared" / "data" / "traces" / "friendsforever.json.gz"

# Read without the server: the rows of the log, folded by yrs.
READ = """
import json, pycrdt
from docs_app.documents import log
loaded = log.load("{document}")
assert not any(row.set_aside for row in loaded.rows)
doc = pycrdt.Doc()
for data in [loaded.snapshot or bytes(2), *(row.data for row in loaded.rows)]:
    doc.apply_update(data)
print(json.dumps(str(doc.get("trace", type=pycrdt.Text))))
"""


Trace = tuple[Path, str]


def generate(folder: Path, peer: RunPeer, *, transactions: int) -> Trace:
    """A trace of our own, and the text that Yjs makes of it without a network."""
    made = make_trace(seed=20260731, transactions=transactions)
    file = folder / "trace.json"
    file.write_text(json.dumps(made))
    expected: str = peer("merge.mjs", file).hear()
    assert expected == made["text"], "Yjs and yrs read the generated trace differently"
    return file, expected


@pytest.fixture(params=["generated", "recorded"])
def trace(request: pytest.FixtureRequest, tmp_path: Path, peer: RunPeer) -> Trace:
    """The file, and the text it must end with."""
    if request.param == "generated":
        return generate(tmp_path, peer, transactions=3000)
    if not RECORDED.is_file():
        pytest.skip("the recorded sessions are not on this machine")
    with gzip.open(RECORDED) as packed:
        return RECORDED, json.load(packed)["endContent"]


def seat(server: Server, person: Person) -> dict[str, str]:
    address = server.url.replace("http", "ws", 1)
    return {"url": address, "origin": server.url, "session": sign_in(server, person)}


def order(first: Server, second: Server, trace: Path, *, pause: bool = False) -> dict[str, Any]:
    """What `replay.mjs` is to do: two people write, each through a server, and one opens another tab at last."""
    ada, ben, *_ = first.people.values()
    seats = [seat(first, ada), seat(second, ben), seat(second, ada)]
    return {"document": first.documents[0].id, "trace": str(trace), "seats": seats, "pause": pause}


def check(results: list[dict[str, Any]], expected: str, server: Server) -> None:
    assert [result["pending"] for result in results] == [False, False, False]
    assert [result["text"] for result in results] == [expected, expected, expected]
    assert server.stop() == 0
    stored = server.manage("shell", "--no-imports", "-c", READ.format(document=server.documents[0].id))
    assert json.loads(stored) == expected


def test_everybody_ends_with_the_same_text(server: StartServer, peer: RunPeer, trace: Trace) -> None:
    file, expected = trace
    collab = server()
    replay = peer("replay.mjs")
    replay.say(order(collab, collab, file))
    assert replay.hear() == {"moment": "half"}
    check(replay.hear()["results"], expected, collab)


@pytest.mark.parametrize("ending", ["stop", "kill"])
def test_nothing_is_lost_when_the_server_goes_away_half_way(
    server: StartServer, peer: RunPeer, trace: Trace, ending: str
) -> None:
    file, expected = trace
    collab = server()
    replay = peer("replay.mjs")
    replay.say(order(collab, collab, file, pause=True))
    assert replay.hear() == {"moment": "half"}
    getattr(collab, ending)()
    collab.start()
    replay.say("the server is back")
    check(replay.hear()["results"], expected, collab)


def test_two_processes_share_a_document(
    server: StartServer, redis_url: str, peer: RunPeer, tmp_path: Path
) -> None:
    # Between processes every exchange waits for a commit, so a short session takes as long as a long one in one.
    file, expected = generate(tmp_path, peer, transactions=800)
    first = server(postgres=True, REDIS_URL=redis_url)
    second = server(beside=first)
    replay = peer("replay.mjs")
    replay.say(order(first, second, file))
    assert replay.hear() == {"moment": "half"}
    results = replay.hear()["results"]
    assert second.stop() == 0
    check(results, expected, first)
