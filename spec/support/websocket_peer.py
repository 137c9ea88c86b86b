"""Both ends of a WebSocket by somebody else's library (python3-websockets), for spec/flow/websocket_library_spec.lua.

serve [CERTIFICATE KEY]    echoes messages; prints "listening PORT", and "closed CODE REASON" for each connection
talk URL [AUTHORITY]       sends messages of many kinds and checks what comes back; prints "echoed", then waits for
                           the end and prints "closed CODE REASON". With an authority's certificate: by TLS
"""

import asyncio
import os
import ssl
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


async def serve(*files):
    tls = None
    if files:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(*files)
    async with websockets.serve(echo, "127.0.0.1", 0, max_size=None, ssl=tls) as server:
        say("listening", server.sockets[0].getsockname()[1])
        await asyncio.Future()


async def fragments():
    for i in range(50):
        yield "part %d " % i


async def talk(url, authority=None):
    tls = ssl.create_default_context(cafile=authority) if authority else None
    async with websockets.connect(url, max_size=None, ssl=tls) as ws:
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


asyncio.run({"serve": serve, "talk": talk}[sys.argv[1]](*sys.argv[2:]))
