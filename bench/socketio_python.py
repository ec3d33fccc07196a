# SPDX-License-Identifier: Apache-2.0
"""The peer of bench-socketio: python-socketio on uvicorn, as it is deployed.

The options are those of socketio-conformance-server, as far as they matter.
"""

import argparse
import os
import socket
import sys
import threading

import socketio
import uvicorn


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=3000)
    parser.add_argument("--ping-interval", type=int, default=25000)
    parser.add_argument("--ping-timeout", type=int, default=20000)
    parser.add_argument("--max-payload", type=int, default=1000000)
    parser.add_argument("--watch-stdin", action="store_true")
    return parser.parse_args()


def end_with_stdin() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def main() -> None:
    options = parse()
    server = socketio.AsyncServer(
        async_mode="asgi", cors_allowed_origins="*",
        ping_interval=options.ping_interval / 1000,
        ping_timeout=options.ping_timeout / 1000,
        max_http_buffer_size=options.max_payload)

    @server.on("message-with-ack")
    async def on_message(_sid, *args):
        return args

    listening = socket.socket()
    listening.bind(("127.0.0.1", options.port))
    listening.listen(128)
    print("listening", listening.getsockname()[1], flush=True)
    if options.watch_stdin:
        threading.Thread(target=end_with_stdin, daemon=True).start()
    config = uvicorn.Config(socketio.ASGIApp(server), log_level="error",
                            ws_per_message_deflate=False,
                            ws_max_size=options.max_payload)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
