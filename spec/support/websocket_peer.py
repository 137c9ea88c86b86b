"""Both ends of a WebSocket by somebody else's library (python3-websockets), for spec/flow/websocket_library_spec.lua.

serve                  echoes messages; prints "listening PORT", and "closed CODE REASON" for each connection
talk URL               sends messages of many kinds and checks what comes back; prints "echoed", then waits for the
                       end and prints "closed CODE REASON"
"""

import asyncio
import os
import sys

import websockets


def say(*words):
    print(*words, flush=True)


async def echo(ws, path=None):
    try:
        async for message in ws:
            await ws.send(message)
    except websockets.ConnectionClosedError:
        pass
    await ws.wait_closed()
    say("closed", ws.close_code, ws.close_reason)


async def serve():
    async with websockets.serve(echo, "127.0.0.1", 0, max_size=None) as server:
        say("listening", server.sockets[0].getsockname()[1])
        await asyncio.Future()


async def fragments():
    for i in range(50):
        yield "part %d " % i


async def talk(url):
    async with websockets.connect(url, max_size=None) as ws:
        say("extensions", ",".join(e.name for e in ws.extensions) or "-")
        for message in ("hello", "", b"\x00\xff" * 7, os.urandom(3 << 20), "x" * 65535, "y" * 65536):
            await ws.send(message)
            assert await ws.recv() == message
        await ws.send(fragments())
        assert await ws.recv() == "".join([part async for part in fragments()])
        await asyncio.wait_for(await ws.ping(), 20)
        say("echoed")
        await ws.wait_closed()
        say("closed", ws.close_code, ws.close_reason)


asyncio.run(serve() if sys.argv[1] == "serve" else talk(sys.argv[2]))
