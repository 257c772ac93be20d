"""The line to a mail server, with weather: refused, turned away with 421, dead silent, or fine.

with line_to(server.port) as line:
    line.weather = Weather.REFUSES
"""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum


class Weather(StrEnum):
    """How a connection fares."""

    REFUSES = "refuses"
    BUSY = "421"
    SILENT = "silent"
    FINE = "fine"


class Line:
    """A port that leads to a server as far as the weather allows; `seen` counts connections by weather."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._listening: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._weather = Weather.FINE
        self.port = 0
        self.seen = dict.fromkeys(Weather, 0)

    @property
    def weather(self) -> Weather:
        """What it is like now."""
        return self._weather

    @weather.setter
    def weather(self, weather: Weather) -> None:
        """It turns at once; the connections there are break."""
        asyncio.run_coroutine_threadsafe(self._turn(weather), self._loop).result(10)

    async def _turn(self, weather: Weather) -> None:
        self._weather = weather
        for writer in list(self._open):
            writer.transport.abort()
        if weather is Weather.REFUSES and self._listening is not None:
            self._listening.close()
            self._listening = None
        elif weather is not Weather.REFUSES and self._listening is None:
            await self._listen()

    async def _listen(self) -> None:
        self._listening = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._listening.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.seen[self._weather] += 1
        self._open.add(writer)
        with contextlib.suppress(OSError):
            if self._weather is Weather.BUSY:
                writer.write(b"421 too busy, come back later\r\n")
                await writer.drain()
            elif self._weather is Weather.SILENT:
                await reader.read()
            else:
                await self._lead_through(reader, writer)
        self._open.discard(writer)
        writer.close()

    async def _lead_through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        await asyncio.gather(_pour(reader, far_writer), _pour(far_reader, writer))

    def run(self, ready: threading.Event) -> None:
        """Serves until stop()."""
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())
        ready.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._turn(Weather.REFUSES))
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def stop(self) -> None:
        """Ends run()."""
        self._loop.call_soon_threadsafe(self._loop.stop)


async def _pour(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
    with contextlib.suppress(OSError):
        target.close()


@contextmanager
def line_to(target: int) -> Iterator[Line]:
    """A line to a port of 127.0.0.1, fine at first."""
    line, ready = Line(target), threading.Event()
    thread = threading.Thread(target=line.run, args=(ready,), daemon=True)
    thread.start()
    assert ready.wait(10), "the line does not come up"
    try:
        yield line
    finally:
        line.stop()
        thread.join(10)
