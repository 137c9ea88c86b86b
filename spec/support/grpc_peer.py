#!/usr/bin/python3
"""A real gRPC server and client (grpcio), bytes in and out: started by spec/support/grpc.lua.

  grpc_peer.py server [port] [up|down|bare]       prints "listening PORT", then a line for each event
  grpc_peer.py client HOST:PORT CALL...         makes the calls (JSON) one after the other, prints each outcome (JSON)

Methods of the service /spec.Echo/: Unary, Collect (client streams), Count (server streams), Chat (both), Fail, Hold.
"""
import json
import sys
import threading
from concurrent import futures

import grpc


def say(text):
    print(text, flush=True)


# ---- server

def unary(request, context):
    context.set_trailing_metadata((("x-trailing", "end"), ("x-blob-bin", b"\0\1\xff")))
    context.send_initial_metadata((("x-initial", "start"),))
    seen = dict(context.invocation_metadata())
    if request == b"metadata":
        return json.dumps({k: v for k, v in seen.items() if isinstance(v, str)}).encode()
    if request == b"remaining":
        return str(context.time_remaining()).encode()
    return request


def collect(requests, context):
    count = size = 0
    for one in requests:
        count += 1
        size += len(one)
    return b"%d %d" % (count, size)


def count(request, context):
    number, size = (int(n) for n in request.split())
    for i in range(number):
        yield b"%d" % i if size == 0 else b"x" * size


def chat(requests, context):
    for one in requests:
        yield b"re:" + one


def fail(request, context):
    context.abort(grpc.StatusCode(tuple(c.value for c in grpc.StatusCode if c.value[0] == int(request))[0]), "so it is: \u00e4 %")


def hold(request, context):
    """Says that it has begun, and then nothing, until the call ends."""
    over = threading.Event()

    def end():
        say("released")
        over.set()

    context.add_callback(end)
    say("holding")
    yield b"holding"
    over.wait()


def health(request, context):
    say("checked")
    return b"\x08\x01" if SERVING else b"\x08\x02"


SERVING = True
METHODS = {
    "/spec.Echo/Unary": grpc.unary_unary_rpc_method_handler(unary),
    "/spec.Echo/Collect": grpc.stream_unary_rpc_method_handler(collect),
    "/spec.Echo/Count": grpc.unary_stream_rpc_method_handler(count),
    "/spec.Echo/Chat": grpc.stream_stream_rpc_method_handler(chat),
    "/spec.Echo/Fail": grpc.unary_unary_rpc_method_handler(fail),
    "/spec.Echo/Hold": grpc.unary_stream_rpc_method_handler(hold),
    "/grpc.health.v1.Health/Check": grpc.unary_unary_rpc_method_handler(health),
}


class Service(grpc.GenericRpcHandler):
    def service(self, details):
        return METHODS.get(details.method)


def serve(port):
    server = grpc.server(futures.ThreadPoolExecutor(32), options=(("grpc.so_reuseport", 0),))
    server.add_generic_rpc_handlers((Service(),))
    say("listening %d" % server.add_insecure_port("127.0.0.1:%d" % port))
    server.start()
    server.wait_for_termination()


# ---- client

def outcome(call, body):
    trailing = {k: v if isinstance(v, str) else v.hex() for k, v in call.trailing_metadata() or ()}
    initial = {k: v if isinstance(v, str) else v.hex() for k, v in call.initial_metadata() or ()}
    return {"code": call.code().name, "details": call.details(), "body": body, "trailing": trailing, "initial": initial}


def do_unary(channel, c):
    method = channel.unary_unary(c["method"])
    call = method.future(c.get("text", "").encode() * c.get("times", 1), timeout=c.get("timeout"),
                         metadata=tuple(c.get("metadata", {}).items()))
    try:
        body = call.result().decode("latin1")
    except grpc.RpcError:
        body = None
    return outcome(call, body if c.get("times", 1) == 1 else body and len(body))


def do_collect(channel, c):
    call = channel.stream_unary(c["method"]).future(iter([b"x" * c["size"]] * c["count"]))
    try:
        body = call.result().decode()
    except grpc.RpcError:
        body = None
    return outcome(call, body)


def do_count(channel, c):
    call = channel.unary_stream(c["method"])(b"%d %d" % (c["count"], c["size"]))
    number = size = 0
    try:
        for one in call:
            number += 1
            size += len(one)
    except grpc.RpcError:
        pass
    return outcome(call, "%d %d" % (number, size))


def do_chat(channel, c):
    """Each message is sent when the answer to the one before has come: nothing may wait for more."""
    go = threading.Semaphore(1)

    def ask():
        for i in range(c["count"]):
            go.acquire()
            yield b"%d" % i

    call = channel.stream_stream(c["method"])(ask(), timeout=c.get("timeout"))
    answers = []
    try:
        for one in call:
            answers.append(one.decode())
            go.release()
    except grpc.RpcError:
        pass
    return outcome(call, answers)


def do_cancel(channel, c):
    call = channel.unary_stream(c["method"])(b"", timeout=c.get("timeout"))
    try:
        first = next(call).decode()
        if not c.get("timeout"):
            call.cancel()
        next(call)
    except grpc.RpcError:
        pass
    return outcome(call, first)


def run(address, calls):
    channel = grpc.insecure_channel(address, options=(("grpc.enable_retries", 0), ("grpc.max_receive_message_length", -1)))
    kinds = {"unary": do_unary, "collect": do_collect, "count": do_count, "chat": do_chat, "cancel": do_cancel}
    for text in calls:
        c = json.loads(text)
        say(json.dumps(kinds[c["kind"]](channel, c)))


if sys.argv[1] == "server":
    SERVING = "down" not in sys.argv
    if "bare" in sys.argv:
        del METHODS["/grpc.health.v1.Health/Check"]
    serve(int(sys.argv[2]) if len(sys.argv) > 2 and sys.argv[2].isdigit() else 0)
else:
    run(sys.argv[2], sys.argv[3:])
