--- The settings of the configuration file: this list checks them, gives them their defaults, and
-- their reference (lua/config/SETTINGS.md) is generated from it.
--
-- A setting: path (dotted), type (lua/config/types.lua), default (as one would write it; nil:
-- none), min and max (in the type's unit), values (of an enum), doc, and restart = true when
-- SIGHUP does not change it.

local MINUTE, HOUR = 60 * 1000, 60 * 60 * 1000
local DAY = 24 * HOUR
local KIB, MIB = 1024, 1024 * 1024

return {
  {
    path = "http", type = "addresses", default = ":8080", restart = true,
    doc = "Where HTTP clients connect. Port 0 takes a free one.",
  },
  {
    path = "https", type = "addresses", restart = true,
    doc = "Where HTTPS clients connect. Needs tls.certificates.",
  },
  {
    path = "tls.certificates", type = "certificates",
    doc = "Files in PEM: `{ certificate = \"chain.pem\", key = \"key.pem\" }`, the server's own certificate first. "
      .. "A client gets the one for the name it asks for: the exact name, else `*.` in the place of its first label. "
      .. "An ECDSA and an RSA certificate for the same name both serve, as the client can. `ocsp = \"answer.der\"` is "
      .. "stapled while it holds; `names = { ... }` replaces the certificate's own names.",
  },
  {
    path = "tls.default", type = "text",
    doc = "The name whose certificate clients get that name no host we have one for; \"refuse\" for none. Without it "
      .. "the first certificate's.",
  },
  {
    path = "tls.min_version", type = "enum", default = "1.2", values = { "1.2", "1.3" },
    doc = "The oldest version of TLS. Suites and groups are those of Mozilla's \"intermediate\".",
  },
  {
    path = "tls.client_certificates", type = "enum", default = "off", values = { "off", "optional", "required" },
    doc = "Whether clients are asked for a certificate. One that is sent has to be good in either case.",
  },
  {
    path = "tls.client_ca", type = "text",
    doc = "File in PEM with the authorities that client certificates may come from.",
  },
  {
    path = "tls.subject_header", type = "header_name", default = "X-Client-Cert-Subject",
    doc = "Request header that tells backends the subject of the client's certificate (RFC 2253). With "
      .. "tls.certificates, what clients send under this name is never passed on.",
  },
  {
    path = "tls.verify_header", type = "header_name", default = "X-Client-Cert-Verify",
    doc = "Request header that tells backends SUCCESS, or NONE when the client has sent no certificate; the same.",
  },
  {
    path = "tls.ticket_rotation", type = "duration", default = "8h", min = 1000, max = 7 * DAY,
    doc = "How often a new key makes session tickets. Tickets are good for two such times.",
  },
  {
    path = "redirect_https", type = "enum", default = "off", values = { "off", 301, 308 },
    doc = "The status by which HTTP clients are sent to the same address with https, but for ACME challenges "
      .. "(`/.well-known/acme-challenge/`), and for what a trusted proxy says came over https.",
  },
  {
    path = "acme.directory", type = "directory",
    doc = "Directory whose files answer ACME challenges of HTTP clients, each named by its token. Without it "
      .. "challenges are routed like any request.",
  },
  {
    path = "registry", type = "address", default = "127.0.0.1:8181", restart = true,
    doc = "Where services connect with the registry protocol.",
  },
  {
    path = "registry_token", type = "text",
    doc = "What services must send with AUTH first. Without it no AUTH is needed.",
  },
  {
    path = "registry_tls.listen", type = "address", restart = true,
    doc = "Where services connect with the registry protocol over TLS; without it nowhere.",
  },
  {
    path = "registry_tls.only", type = "flag", default = false, restart = true,
    doc = "There is no other listener: what `registry` says is not used.",
  },
  {
    path = "registry_tls.certificate", type = "text",
    doc = "File (PEM) of the listener's certificate, the chain behind it.",
  },
  {
    path = "registry_tls.key", type = "text",
    doc = "File (PEM) of its private key.",
  },
  {
    path = "registry_tls.client_ca", type = "authority_file",
    doc = "File (PEM) of the authorities whose client certificates are believed.",
  },
  {
    path = "registry_tls.client_certificates", type = "enum", default = "off",
    values = { "off", "optional", "required" },
    doc = "Are services asked for a certificate? One that is shown has to be valid, stands for AUTH, and says "
      .. "which services its holder may be.",
  },
  {
    path = "registry_tls.services", type = "name_lists",
    doc = "Which services the holder of a certificate with this name (a DNS name in it, or its CN) may be. "
      .. "Without it: the service of that name.",
  },
  {
    path = "backend_tls.authorities", type = "named_authorities",
    doc = "Files (PEM) of authorities by the names under which services choose them with the option `tls_ca`.",
  },
  {
    path = "backend_tls.certificates", type = "named_certificates",
    doc = "The proxy's own certificates for backends that ask for one, by the names for the option `tls_cert`. "
      .. "`services`: the services that may choose it; without it any may.",
  },
  {
    path = "workers", type = "count", default = 0, min = 0, max = 256, restart = true,
    doc = "Worker threads; 0 makes one for each core.",
  },
  {
    path = "defer_accept", type = "flag", default = true, restart = true,
    doc = "Take a client's connection in clear once it has sent something, or after a second (TCP_DEFER_ACCEPT), "
      .. "not as soon as it stands: short connections cost up to a sixth less, and those that stay silent take no "
      .. "place for that second. It has its price for clients that are silent first. The kernel takes their wait "
      .. "for a long way to them: where an answer is lost, it comes after up to 2.4 s instead of 0.2. When the "
      .. "proxy stops, who still waits hears nothing, and is reset once it speaks. They wait among the half-open "
      .. "connections: with net.ipv4.tcp_syncookies = 0 more than three quarters of net.ipv4.tcp_max_syn_backlog a "
      .. "second keep others out, so leave it off there. A client that is silent for longer gets a second SYN-ACK, "
      .. "by which the kernel ends the wait.",
  },
  {
    path = "user", type = "text", restart = true,
    doc = "User (name or number) that the proxy becomes, for good, once its listeners, logs and keys are open. Needs "
      .. "root to start with. What is read again - this file, scripts, certificates, keys - has to be readable for "
      .. "that user.",
  },
  {
    path = "group", type = "text", restart = true,
    doc = "Group that it becomes; without it the user's own. The user's further groups are kept.",
  },
  {
    path = "sandbox", type = "flag", default = true, restart = true,
    doc = "Let the running proxy make no system calls but those it needs (seccomp), and reach no files but those that "
      .. "are named here, the directories they are in, and the system's for names and certificates (Landlock, where "
      .. "the kernel has it).",
  },
  {
    path = "sandbox_paths", type = "paths", restart = true,
    doc = "Further files and directories that it may read in the sandbox, which cannot be widened later: such as the "
      .. "directory of a certificate that a reload will bring.",
  },
  {
    path = "core_dumps", type = "flag", default = false, restart = true,
    doc = "Leave a core in the directory it was started in when it crashes, where the system allows it. A core has all "
      .. "keys and tokens in it. It also lets other processes of its user look into it.",
  },
  {
    path = "scripts", type = "text", restart = true,
    doc = "Directory of the scripts. Without it: `../scripts` or `../share/tidelock/scripts` seen from the program, "
      .. "then `/usr/share/tidelock/scripts`.",
  },
  {
    path = "scripts_watch", type = "flag", default = true,
    doc = "Reload the scripts when their files change. Without it SIGHUP and SCRIPTS_RELOAD do.",
  },
  {
    path = "scripts_rollback.failures", type = "count", default = 5, min = 0, max = 1000,
    doc = "Failed calls of scripts, within the window, after which the generation before is put back in service; "
      .. "as many of one health policy, or of one request policy on one worker, switch that off first. 0 for never.",
  },
  {
    path = "scripts_rollback.window", type = "duration", default = "60s", min = 1000, max = DAY,
    doc = "How long a failed call counts.",
  },
  {
    path = "scripts_budget.load", type = "duration", default = "2s", min = 10, max = MINUTE,
    doc = "How long one script may take to load; all request policies together at most 100 ms, since workers load "
      .. "them, too.",
  },
  {
    path = "scripts_budget.command", type = "duration", default = "250ms", min = 1, max = MINUTE,
    doc = "How long a registry command may run; the time that it waits for others does not count.",
  },
  {
    path = "scripts_budget.health", type = "duration", default = "20ms", min = 1, max = MINUTE,
    doc = "How long a health policy may think about a result.",
  },
  {
    path = "scripts_budget.page", type = "duration", default = "100ms", min = 1, max = MINUTE,
    doc = "How long rendering one page in all formats may take.",
  },
  {
    path = "scripts_budget.policy", type = "duration", default = "5ms", min = 1, max = MINUTE,
    doc = "How long a request policy may hold up a request.",
  },
  {
    path = "scripts_memory", type = "size", default = "64m", min = 8 * MIB, max = 1024 * MIB,
    doc = "Memory of the scripts of one VM, with all that they make.",
  },
  {
    path = "log_level", type = "enum", default = "info",
    values = { "error", "warn", "info", "debug" },
    doc = "The least important lines that are logged.",
  },
  {
    path = "access_log.format", type = "enum", default = "off", values = { "off", "text", "json" },
    doc = "How requests are logged: not at all, as key=value or as JSON, a line each.",
  },
  {
    path = "access_log.file", type = "text", default = "-",
    doc = "File that request lines are appended to; - is standard output.",
  },
  {
    path = "unknown_host", type = "enum", default = 404, values = { 404, 503, "close" },
    doc = "What a request gets that no route matches: a page with this status, or nothing but the "
      .. "end of its connection.",
  },
  {
    path = "trusted_proxies", type = "ranges",
    doc = "Address ranges whose X-Forwarded-* and Forwarded headers are believed and extended.",
  },
  {
    path = "forwarded", type = "flag", default = false,
    doc = "Send Forwarded (RFC 7239) to backends beside the X-Forwarded-* headers.",
  },
  {
    path = "response_headers", type = "headers",
    doc = "Headers set on every response, in place of the backend's of that name; what a service "
      .. "sets for its routes wins.",
  },
  {
    path = "retries", type = "count", default = 3, min = 0, max = 10,
    doc = "How often a request is tried again elsewhere, for routes without the option retries.",
  },
  {
    path = "health_checks", type = "flag", default = true,
    doc = "Check the health of backends. Without it nobody is asked, and every member gets requests.",
  },
  {
    path = "compression.types", type = "type_patterns",
    default = {
      "text/*", "application/json", "application/javascript", "application/xml", "application/wasm",
      "application/x-ndjson", "image/svg+xml", "image/bmp", "image/x-icon", "font/ttf", "font/otf",
      "application/vnd.ms-fontobject", "+json", "+xml",
    },
    doc = "Content types that are compressed for routes with the option compression: types, all of a kind, or "
      .. "by the end of their names.",
  },
  {
    path = "compression.min_size", type = "size", default = "1k", min = 0, max = 64 * MIB,
    doc = "Bytes of a response below which it is left as it is. One whose length is not said is compressed.",
  },
  {
    path = "compression.order", type = "codings", default = { "zstd", "br", "gzip" },
    doc = "Content codings that are offered. Of those that a client likes equally well the first is taken. "
      .. "zstd only where the program was built with it.",
  },
  {
    path = "compression.zstd", type = "count", default = 3, min = 1, max = 9,
    doc = "Level of zstd: more is smaller, and slower.",
  },
  {
    path = "compression.br", type = "count", default = 4, min = 1, max = 6,
    doc = "Level of brotli.",
  },
  {
    path = "compression.gzip", type = "count", default = 4, min = 1, max = 9,
    doc = "Level of gzip.",
  },
  {
    path = "compression.cpu", type = "count", default = 70, min = 0, max = 100,
    doc = "Share of a worker's last second, in percent, that compression may take; past it new responses pass as they "
      .. "are. 100 for any.",
  },
  {
    path = "compression.streams", type = "count", default = 100, min = 0, max = 100000,
    doc = "Responses that a worker compresses at a time; more pass as they are. Each takes up to 1.7 MiB with "
      .. "zstd, 1.9 with brotli and 0.3 with gzip.",
  },
  {
    path = "maintenance.bypass_header", type = "header_name",
    doc = "Name of a request header by which operators see the backend during maintenance; it is never "
      .. "passed on.",
  },
  {
    path = "maintenance.bypass_secret", type = "text",
    doc = "What that header has to say.",
  },
  {
    path = "maintenance.bypass_addresses", type = "ranges",
    doc = "Address ranges of clients that see the backend during maintenance.",
  },
  {
    path = "maintenance.check_interval", type = "duration", default = "1s", min = 10, max = HOUR,
    doc = "How often MAINT_ENTER tries its page and MAINT_EXIT the backends while they wait.",
  },
  {
    path = "maintenance.timeout", type = "duration", default = "60s", min = 1, max = DAY,
    doc = "How long they wait.",
  },
  {
    path = "http2.cleartext", type = "flag", default = true,
    doc = "Speak HTTP/2 without TLS to clients that begin with it (prior knowledge).",
  },
  {
    path = "http2.max_streams", type = "count", default = 128, min = 1, max = 10000,
    doc = "Requests of one connection at a time; more are refused.",
  },
  {
    path = "http2.max_resets", type = "count", default = 500, min = 1, max = 1000000,
    doc = "Requests that a connection may take back or get wrong at once, and within ten seconds "
      .. "after that, before it is ended.",
  },
  {
    path = "http2.max_control_frames", type = "count", default = 1000, min = 10, max = 1000000,
    doc = "Frames without use for a request (PING, SETTINGS, PRIORITY, empty DATA, needless WINDOW_UPDATE) likewise.",
  },
  {
    path = "resolver.servers", type = "servers",
    doc = "Name servers that resolve the names of backends; without it the system's.",
  },
  {
    path = "timeouts.head", type = "duration", default = "30s", min = 1, max = HOUR,
    doc = "A request's head, from its first byte to its end.",
  },
  {
    path = "timeouts.handshake", type = "duration", default = "10s", min = 10, max = HOUR,
    doc = "A client's TLS handshake, from its connection to its end.",
  },
  {
    path = "timeouts.keep_alive", type = "duration", default = "75s", min = 1, max = DAY,
    doc = "A client connection without a request.",
  },
  {
    path = "timeouts.keep_alive_age", type = "duration", default = "1h", min = 0, max = 7 * DAY,
    doc = "Age of a client connection at which the next response is its last (HTTP/2: GOAWAY, and requests in "
      .. "progress end); 0 for any. Tunnels have the option websocket_max_age.",
  },
  {
    path = "timeouts.spare_memory", type = "duration", default = "1m", min = 20, max = DAY,
    doc = "Memory kept for reuse that nobody needed for so long is given back, to the system where it can be.",
  },
  {
    path = "timeouts.body", type = "duration", default = "60s", min = 1, max = DAY,
    doc = "Between two pieces of a request body.",
  },
  {
    path = "timeouts.send", type = "duration", default = "60s", min = 1, max = DAY,
    doc = "A client that takes no bytes of its response.",
  },
  {
    path = "timeouts.rate", type = "duration", default = "30s", min = 10, max = HOUR,
    doc = "Over how long limits.body_rate and limits.send_rate are taken, and how long a client has before they hold.",
  },
  {
    path = "timeouts.connect", type = "duration", default = "5s", min = 1, max = HOUR,
    doc = "One attempt to connect to a backend, for routes without the option connect_timeout.",
  },
  {
    path = "timeouts.response", type = "duration", default = "60s", min = 1, max = DAY,
    doc = "A backend's head, from the last byte of the request on, whatever 1xx come before it; then each next piece. "
      .. "For routes without the option timeout.",
  },
  {
    path = "timeouts.pool", type = "duration", default = "60s", min = 1, max = DAY,
    doc = "A backend connection kept without a request.",
  },
  {
    path = "timeouts.grace", type = "duration", default = "5m", min = 1, max = 7 * DAY,
    doc = "How long a session without a connection keeps its routes.",
  },
  {
    path = "timeouts.staged", type = "duration", default = "30m", min = 1, max = 7 * DAY,
    doc = "How long staged changes wait to be applied.",
  },
  {
    path = "timeouts.shutdown", type = "duration", default = "30s", min = 0, max = DAY,
    doc = "How long requests in flight may take to end after SIGTERM.",
  },
  {
    path = "timeouts.registry_handshake", type = "duration", default = "10s", min = 1, max = HOUR,
    doc = "The TLS handshake of a registry connection.",
  },
  {
    path = "timeouts.registry_auth", type = "duration", default = "10s", min = 10, max = HOUR,
    doc = "From the begin of a registry connection to its AUTH, where a token is needed; then it is closed.",
  },
  {
    path = "timeouts.registry_idle", type = "duration", default = "5m", min = 10, max = 7 * DAY,
    doc = "A registry connection without a session and without events that says nothing.",
  },
  {
    path = "timeouts.resolve", type = "duration", default = "5s", min = 1, max = 10 * MINUTE,
    doc = "Resolving one name.",
  },
  {
    path = "timeouts.tunnel", type = "duration", default = "1h", min = 1, max = 7 * DAY,
    doc = "A WebSocket, or another tunnel, through which nothing passes, for routes without the option "
      .. "websocket_idle.",
  },
  {
    path = "timeouts.tunnel_message", type = "duration", default = "10s", min = 1, max = HOUR,
    doc = "The end of the messages in progress when a WebSocket has to close; the close handshake has 2 s more.",
  },
  {
    path = "timeouts.tunnel_close", type = "duration", default = "10s", min = 1, max = HOUR,
    doc = "Over how long the tunnels of a member are closed that was removed, went to another backend or is in "
      .. "maintenance. Also how long one end of a tunnel may go on when the other has ended.",
  },
  {
    path = "limits.head_size", type = "size", default = "16k", min = KIB, max = 64 * KIB,
    doc = "Bytes of a head. At most limits.buffer_size.",
  },
  {
    path = "limits.handshakes", type = "count", default = 1000, min = 1, max = 100000,
    doc = "TLS handshakes of one worker at a time; past it the next connections wait to be accepted.",
  },
  {
    path = "limits.header_count", type = "count", default = 100, min = 1, max = 128,
    doc = "Fields of a head.",
  },
  {
    path = "limits.target_length", type = "size", default = "8k", min = 64, max = 64 * KIB,
    doc = "Bytes of a request's target.",
  },
  {
    path = "limits.connections", type = "count", default = 0, min = 0, max = 100000000,
    doc = "Client connections at a time, over all workers. For one more the longest idle is closed; where none is "
      .. "idle, it waits to be accepted. 0 for half of the descriptors that the process may have, less what is kept "
      .. "back for the registry, scripts and logs.",
  },
  {
    path = "limits.connections_per_address", type = "count", default = 4096, min = 0, max = 100000000,
    doc = "Of these, from one address (IPv6: the first 64 bits), but for trusted_proxies; more are reset at once. "
      .. "0 for any.",
  },
  {
    path = "limits.keep_alive_requests", type = "count", default = 100000, min = 0, max = 1000000000,
    doc = "Requests of a client connection; the response to the last one says so (HTTP/2: GOAWAY). 0 for any.",
  },
  {
    path = "limits.body_size", type = "size", default = 0, min = 0, max = MIB * MIB,
    doc = "Bytes of a request body, for routes without the option max_body_size; 0 for any.",
  },
  {
    path = "limits.body_rate", type = "size", default = 240, min = 0, max = 1024 * MIB,
    doc = "Bytes a second of a request body that a client sends at least, while the backend takes them, until the "
      .. "response begins; else 408. gRPC calls are free of it. 0 for any.",
  },
  {
    path = "limits.send_rate", type = "size", default = 240, min = 0, max = 1024 * MIB,
    doc = "Bytes a second of a response that a client takes at least, while some wait for it; else its connection is "
      .. "reset (HTTP/2: the stream, or the connection, whichever it holds up). 0 for any.",
  },
  {
    path = "limits.buffer_size", type = "size", default = "16k", min = 4 * KIB, max = MIB,
    restart = true,
    doc = "Bytes of a connection's buffer, one for each direction that is busy.",
  },
  {
    path = "limits.buffer_memory", type = "size", default = "256m", min = 0, max = MIB * MIB,
    doc = "Bytes of the buffers of one worker's connections. From three quarters on large blocks are saved; past it "
      .. "new requests are answered with 503, and those in progress go on. 0 for any.",
  },
  {
    path = "limits.pool_size", type = "count", default = 512, min = 0, max = 65536,
    doc = "Idle connections kept for one backend by one worker; with HTTP/2 the most connections, idle or not.",
  },
  {
    path = "limits.ratelimit_sources", type = "count", default = 400000, min = 1000, max = 100000000,
    restart = true,
    doc = "Source addresses remembered for rate limits, 18 bytes each; past it the oldest are forgotten.",
  },
  {
    path = "limits.registry_connections", type = "count", default = 1024, min = 1, max = 100000,
    doc = "Registry connections open at a time; fewer where the process may not have so many descriptors (a quarter of "
      .. "its limit is kept for the registry, probes and files).",
  },
  {
    path = "limits.registry_per_address", type = "count", default = 512, min = 1, max = 100000,
    doc = "Of these from one address. Where there is no place for one more, here or in all, the oldest that has no "
      .. "session, no events and no command under way is closed; if there is none, the new one is refused.",
  },
  {
    path = "limits.sessions", type = "count", default = 10000, min = 1, max = 1000000,
    doc = "Sessions of services at a time. Where there is no place for one more, the oldest that has no connection "
      .. "and never applied anything is removed; if there is none, REGISTER is refused.",
  },
  {
    path = "limits.metadata_size", type = "size", default = "16k", min = 0, max = 16 * KIB,
    doc = "Bytes of a session's metadata.",
  },
  {
    path = "limits.routes_per_session", type = "count", default = 10000, min = 1, max = 100000,
    doc = "Routes of one session, staged or live, and of the configuration file.",
  },
  {
    path = "limits.domains_per_route", type = "count", default = 256, min = 1, max = 256,
    doc = "Domains of one route of a session.",
  },
  {
    path = "limits.headers_per_target", type = "count", default = 100, min = 0, max = 1000,
    doc = "Response headers that a session may set for one route, and for all of its routes.",
  },
  {
    path = "limits.staged_bytes", type = "size", default = "16m", min = 64 * KIB, max = 1024 * MIB,
    doc = "Memory of what one session has staged: a copy of what it has live, with the changes.",
  },
  {
    path = "limits.session_takeovers", type = "count", default = 10, min = 1, max = 100000,
    doc = "How often a second a session may go to another connection (RECONNECT), or be superseded (REGISTER); ten "
      .. "times as often at once.",
  },
  {
    path = "limits.session_operations", type = "count", default = 32, min = 1, max = 10000,
    doc = "MAINT_ENTER and MAINT_EXIT of one session under way at a time.",
  },
  {
    path = "limits.registry_waiting", type = "count", default = 2000, min = 1, max = 1000000,
    doc = "Commands under way at a time that are answered later; past it BACKEND_TEST is refused.",
  },
  {
    path = "limits.registry_auth_lines", type = "count", default = 10, min = 1, max = 1000000,
    doc = "Lines of a registry connection before its AUTH is right, where a token is needed; past it the connection "
      .. "is closed.",
  },
  {
    path = "limits.registry_lines", type = "count", default = 1000, min = 1, max = 1000000,
    doc = "Lines a second of one registry connection. Further ones are not refused, they wait. A line that takes "
      .. "longer counts as one more for each tenth of a millisecond.",
  },
  {
    path = "limits.registry_burst", type = "count", default = 10000, min = 1, max = 10000000,
    doc = "Lines that a registry connection may send at once before it is held to limits.registry_lines.",
  },
  {
    path = "limits.registry_output", type = "size", default = "1m", min = 64 * KIB, max = 64 * MIB,
    doc = "Bytes that wait for a registry client that does not read, before it is closed. A "
      .. "compressed answer may take 1 MiB by itself.",
  },
  {
    path = "routes", type = "routes",
    doc = "Routes of the proxy itself, in the registry's terms; see below.",
  },
}
