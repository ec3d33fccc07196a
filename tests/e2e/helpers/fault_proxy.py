# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy that misbehaves when a test says so.

    with FaultProxy(port_of_the_server) as proxy:
        proxy.stall()      # takes nothing, gives nothing, closes nothing
        proxy.go_on()
        proxy.reset()      # every connection ends with RST

`to` is the server's port; it may be changed. What is set holds for every
connection, old and new. Two threads a connection; 127.0.0.1 only.
"""

from __future__ import annotations

import re
import socket
import struct
import threading
import time

CHUNK = 16384
# Small, so that a stall is felt after little.
BUFFER_BYTES = 65536
MAX_CONNECTIONS = 4096  # over its life
UPGRADE = re.compile(rb"\r\nupgrade:\s*websocket", re.IGNORECASE)
REFUSAL = (b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n"
           b"Connection: close\r\n\r\n")


class _Connection:
    def __init__(self, client: socket.socket, server: socket.socket):
        self.client, self.server = client, server
        self.to_server = self.to_client = 0
        self.ends = threading.Lock()

    def close(self, rst: bool = False) -> None:
        """The first call decides how it ends."""
        if not self.ends.acquire(blocking=False):
            return
        for sock in (self.client, self.server):
            try:
                if rst:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                    struct.pack("ii", 1, 0))
                # Also wakes the thread that reads: until then nothing ends.
                sock.shutdown(socket.SHUT_RD if rst else socket.SHUT_RDWR)
            except OSError:
                pass
            sock.close()


class FaultProxy:
    def __init__(self, to: int):
        self.to = to
        self.delay_s = 0.0
        self.answer_delay_s = 0.0  # of what the server says, alone
        self.bytes_per_s = 0       # 0: as fast as it goes
        self.blocks_websocket = False
        self.cut_after: int | None = None  # bytes to the client, then FIN
        self.connections: list[_Connection] = []
        self.accepted = 0
        self.refused_upgrades = 0
        self.running = threading.Event()
        self.running.set()
        self.closing = False
        self.listener: socket.socket | None = None
        self.port = 0
        self.accept()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # --- faults ---

    def refuse(self) -> None:
        """New connections are refused; those that are there go on."""
        listener, self.listener = self.listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def accept(self) -> None:
        """On the same port as before."""
        if self.listener is not None:
            return
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                            BUFFER_BYTES)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(16)
        self.port = listener.getsockname()[1]
        self.listener = listener
        threading.Thread(target=self._accept, args=(listener,),
                         daemon=True).start()

    def stall(self) -> None:
        self.running.clear()

    def go_on(self) -> None:
        """Ends stall, delays and trickle."""
        self.delay_s, self.answer_delay_s, self.bytes_per_s = 0.0, 0.0, 0
        self.running.set()

    def cut(self) -> None:
        """Every connection ends with FIN."""
        self._end(False)

    def reset(self) -> None:
        self._end(True)

    def inject(self, data: bytes) -> None:
        """Bytes to each client that its server never sent."""
        for connection in list(self.connections):
            try:
                connection.client.sendall(data)
            except OSError:
                pass

    def _end(self, rst: bool) -> None:
        connections, self.connections = self.connections, []
        for connection in connections:
            connection.close(rst)

    # --- life ---

    def close(self) -> None:
        self.closing = True
        self.refuse()
        self.running.set()
        self._end(True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _accept(self, listener: socket.socket) -> None:
        while self.accepted < MAX_CONNECTIONS:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            if listener is not self.listener:
                client.close()
                return
            self.accepted += 1
            threading.Thread(target=self._serve, args=(client,),
                             daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.socket()
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                              BUFFER_BYTES)
            server.connect(("127.0.0.1", self.to))
        except OSError:
            client.close()
            return
        for sock in (client, server):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(client, server)
        self.connections.append(connection)
        threading.Thread(target=self._pump, args=(connection, True),
                         daemon=True).start()
        self._pump(connection, False)

    def _pump(self, connection: _Connection, is_upstream: bool) -> None:
        source = connection.client if is_upstream else connection.server
        try:
            while self._step(connection, source, is_upstream):
                pass
        except OSError:
            pass
        connection.close()
        if connection in self.connections:
            self.connections.remove(connection)

    def _step(self, connection: _Connection, source: socket.socket,
              is_upstream: bool) -> bool:
        self._wait()
        size = min(CHUNK, max(64, self.bytes_per_s // 20)) \
            if self.bytes_per_s else CHUNK
        data = source.recv(size)
        self._wait()  # what came during a stall waits for its end
        if not data or self.closing:
            return False
        if self.bytes_per_s:
            time.sleep(len(data) / self.bytes_per_s)
        if self.delay_s:
            time.sleep(self.delay_s)
        if is_upstream:
            return self._to_server(connection, data)
        if self.answer_delay_s:
            time.sleep(self.answer_delay_s)
        return self._to_client(connection, data)

    def _wait(self) -> None:
        while not self.running.wait(1):
            pass

    def _to_server(self, connection: _Connection, data: bytes) -> bool:
        if self.blocks_websocket and connection.to_server == 0 \
                and UPGRADE.search(data):
            self.refused_upgrades += 1
            connection.client.sendall(REFUSAL)
            return False
        connection.server.sendall(data)
        connection.to_server += len(data)
        return True

    def _to_client(self, connection: _Connection, data: bytes) -> bool:
        if self.cut_after is not None:
            data, self.cut_after = data[:self.cut_after], \
                self.cut_after - len(data)
            if self.cut_after <= 0:
                self.cut_after = None
                connection.client.sendall(data)
                return False
        connection.client.sendall(data)
        connection.to_client += len(data)
        return True
