"""A network that breaks when a test says so: a TCP proxy in a thread of its own, which never waits for the test."""

import asyncio
import contextlib
import threading
from collections.abc import Coroutine
from typing import Any
from urllib.parse import urlsplit


class Proxy:
    """Stands before a service, at `url`. `stall` holds everything back until `resume`; `cut` ends and refuses all
    connections until `resume`; `lose` holds back for ever what the present ones carry, as a firewall that has forgotten
    them does, and lets new ones through."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname, parts.port)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy")
        self._thread.start()
        self._lines: set[_Line] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self._is_cut = False
        self._server = self._call(self._listen())
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = parts._replace(netloc=f"127.0.0.1:{self.port}").geturl()

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._accept, "127.0.0.1", 0)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        host, port = self._target
        there = await asyncio.open_connection(host, port)
        line = _Line(self._flows, (reader, writer), there)
        self._lines.add(line)
        await line.carry()
        self._lines.discard(line)

    def stall(self) -> None:
        self._loop.call_soon_threadsafe(self._flows.clear)

    def cut(self) -> None:
        self._call(self._cut())

    async def _cut(self) -> None:
        self._is_cut = True
        for line in list(self._lines):
            line.end()

    def lose(self) -> None:
        self._call(self._lose())

    async def _lose(self) -> None:
        for line in self._lines:
            line.flows = asyncio.Event()

    def resume(self) -> None:
        self._call(self._resume())

    async def _resume(self) -> None:
        self._is_cut = False
        self._flows.set()

    def close(self) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        for line in list(self._lines):
            line.end()
        me = asyncio.current_task()
        await asyncio.gather(
            *(task for task in asyncio.all_tasks() if task is not me), return_exceptions=True
        )


_Pipe = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class _Line:
    def __init__(self, flows: asyncio.Event, here: _Pipe, there: _Pipe) -> None:
        self.flows = flows
        self._here, self._there = here, there
        self._tasks: list[asyncio.Task[None]] = []

    async def carry(self) -> None:
        pairs = (self._here[0], self._there[1]), (self._there[0], self._here[1])
        self._tasks = [asyncio.create_task(self._copy(*pair)) for pair in pairs]
        await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        self.end()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self.flows.wait()
                writer.write(data)
                await writer.drain()

    def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        for _, writer in (self._here, self._there):
            writer.transport.abort()
