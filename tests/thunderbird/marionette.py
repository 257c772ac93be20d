"""The least of Mozilla's Marionette protocol: run a script inside the program and get its answer.

Messages are `length:json` over TCP; a command is [0, id, name, parameters], an answer [1, id, error, result].
"""

import json
import socket
from types import TracebackType
from typing import Any


class ScriptFailed(Exception):
    """A script threw, or did not answer in time."""


class Marionette:
    """A session in the program's own (chrome) context."""

    def __init__(self, port: int, *, timeout: float = 60.0) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout)
        self._rest, self._count = b"", 0
        self._receive()  # its greeting
        self.call("WebDriver:NewSession", {"capabilities": {}})
        self.call("WebDriver:SetTimeouts", {"script": int(timeout * 1000)})
        self.call("Marionette:SetContext", {"value": "chrome"})

    def __enter__(self) -> "Marionette":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def run(self, script: str, *arguments: Any) -> Any:
        """What the body of an async function returns; `args` are the arguments. Raises ScriptFailed."""
        wrapped = f"""
            const [args, done] = [Array.from(arguments).slice(0, -1), arguments[arguments.length - 1]];
            (async () => {{ {script} }})().then(
                value => done({{ value: value === undefined ? null : value }}),
                error => done({{ error: String(error) + "\\n" + (error && error.stack) }}));
        """
        answer = self.call("WebDriver:ExecuteAsyncScript", {"script": wrapped, "args": list(arguments)})
        found = answer["value"]
        if "error" in found:
            raise ScriptFailed(found["error"])
        return found["value"]

    def call(self, name: str, parameters: dict[str, Any]) -> Any:
        """The answer to one command. Raises ScriptFailed."""
        self._count += 1
        text = json.dumps([0, self._count, name, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(text), text))
        while True:
            kind, number, error, result = self._receive()
            if (kind, number) == (1, self._count):
                if error:
                    raise ScriptFailed(f"{error.get('error')}: {error.get('message')}")
                return result

    def _receive(self) -> Any:
        while b":" not in self._rest:
            self._more()
        length, _, self._rest = self._rest.partition(b":")
        while len(self._rest) < int(length):
            self._more()
        text, self._rest = self._rest[: int(length)], self._rest[int(length) :]
        return json.loads(text)

    def _more(self) -> None:
        got = self._socket.recv(65536)
        if not got:
            raise ScriptFailed("The program has gone.")
        self._rest += got
