# SPDX-License-Identifier: Apache-2.0
"""The proxy of the fault tests does to a connection what it says."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from helpers.fault_proxy import FaultProxy

pytestmark = pytest.mark.helper


@pytest.fixture(name="proxy")
def _proxy():
    """In front of a server that gives back what it gets."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(sock):
        with sock:
            try:
                while data := sock.recv(65536):
                    sock.sendall(data)
            except OSError:
                pass

    def accept():
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(sock,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    with FaultProxy(listener.getsockname()[1]) as proxy:
        yield proxy
    listener.close()


def connect(proxy: FaultProxy) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", proxy.port), timeout=5)
    sock.sendall(b"hello")
    assert sock.recv(5) == b"hello"
    return sock


def test_passes(proxy):
    connect(proxy).close()


def test_stall_holds_back_and_loses_nothing(proxy):
    sock = connect(proxy)
    proxy.stall()
    sock.sendall(b"later")
    sock.settimeout(0.4)
    with pytest.raises(TimeoutError):
        sock.recv(5)
    proxy.go_on()
    sock.settimeout(5)
    assert sock.recv(5) == b"later"


def test_stall_fills_the_window(proxy):
    sock = connect(proxy)
    proxy.stall()
    sock.settimeout(0.5)
    with pytest.raises(TimeoutError):
        sock.sendall(bytes(64 << 20))


def test_cut_and_reset(proxy):
    sock = connect(proxy)
    proxy.cut()
    assert sock.recv(1) == b""
    sock = connect(proxy)
    proxy.reset()
    with pytest.raises(ConnectionResetError):
        sock.recv(1)


def test_refuse_and_accept_again(proxy):
    sock = connect(proxy)
    proxy.refuse()
    with pytest.raises(ConnectionRefusedError):
        connect(proxy)
    sock.sendall(b"still")
    assert sock.recv(5) == b"still"
    proxy.accept()
    connect(proxy).close()


def test_delay_and_trickle(proxy):
    sock = connect(proxy)
    proxy.delay_s = 0.1
    start = time.monotonic()
    sock.sendall(b"x")
    sock.recv(1)
    assert time.monotonic() - start >= 0.2
    proxy.go_on()
    proxy.bytes_per_s = 2000
    start, got = time.monotonic(), 0
    sock.sendall(bytes(1000))
    while got < 1000:
        got += len(sock.recv(1000))
    assert time.monotonic() - start >= 0.5


def test_cut_in_the_middle(proxy):
    sock = connect(proxy)
    proxy.cut_after = 3
    sock.sendall(b"abcdef")
    got = b""
    while data := sock.recv(10):
        got += data
    assert got == b"abc"


def test_inject(proxy):
    sock = connect(proxy)
    proxy.inject(b"!")
    assert sock.recv(1) == b"!"


def test_upgrade_is_refused(proxy):
    proxy.blocks_websocket = True
    sock = socket.create_connection(("127.0.0.1", proxy.port), timeout=5)
    sock.sendall(b"GET / HTTP/1.1\r\nUpgrade: WebSocket\r\n\r\n")
    assert b"403" in sock.recv(100)
    assert proxy.refused_upgrades == 1
    connect(proxy).close()
