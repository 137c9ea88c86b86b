// The client's end of a WebSocket by npm's `ws` (Debian's node-ws), for spec/flow/websocket_library_spec.lua.
//
// websocket_npm.js URL: sends messages of many kinds and checks what comes back; prints "echoed", then waits for the end
// and prints "closed CODE REASON".
"use strict";

const assert = require("assert");
const crypto = require("crypto");
const WebSocket = require("/usr/share/nodejs/ws");

const messages = [
  Buffer.from("hello"), Buffer.alloc(0), crypto.randomBytes(3 << 20), Buffer.alloc(65535, "x"), Buffer.alloc(65536, "y"),
];
const expected = messages.concat([Buffer.from("one two three")]);
const ws = new WebSocket(process.argv[2]);

ws.on("open", () => {
  for (const message of messages) ws.send(message);
  ws.send("one ", { fin: false });
  ws.send("two ", { fin: false });
  ws.send("three", { fin: true });
});
ws.on("message", (data) => {
  assert(expected.shift().equals(Buffer.from(data)));
  if (expected.length === 0) ws.ping();
});
ws.on("pong", () => console.log("echoed"));
ws.on("close", (code, reason) => console.log("closed", code, reason.toString()));
