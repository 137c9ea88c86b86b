--- TLS of the specs, on OpenSSL through FFI: an end of a connection that reads and writes like spec/support/stream.lua.
--
--   local context = tls.context { certificate = FILE, key = FILE, client_ca = FILE }
--   local bytes, err = tls.accept(stream, context)      -- or tls.connect(stream, context, "a.example")
--   bytes.server_name, bytes.resumed, bytes.version, bytes.peer (subject of the other's certificate)
--   local bytes, err = tls.dial(host, port, { name = "a.example", alpn = { "h2" } })

local ffi = require("ffi")
local loop = require("spec.support.loop")
local stream = require("spec.support.stream")

pcall(ffi.cdef, [[
typedef struct ssl_st SSL; typedef struct ssl_ctx_st SSL_CTX; typedef struct x509_st X509;
const void *TLS_server_method(void);
const void *TLS_client_method(void);
SSL_CTX *SSL_CTX_new(const void *method);
void SSL_CTX_free(SSL_CTX *);
long SSL_CTX_ctrl(SSL_CTX *, int cmd, long larg, void *parg);
int SSL_CTX_use_certificate_chain_file(SSL_CTX *, const char *file);
int SSL_CTX_use_PrivateKey_file(SSL_CTX *, const char *file, int type);
int SSL_CTX_load_verify_file(SSL_CTX *, const char *file);
void SSL_CTX_set_verify(SSL_CTX *, int mode, void *callback);
int SSL_CTX_set_session_id_context(SSL_CTX *, const char *context, unsigned len);
int SSL_CTX_set_num_tickets(SSL_CTX *, size_t count);
int SSL_CTX_set_alpn_protos(SSL_CTX *, const char *protos, unsigned len);
SSL *SSL_new(SSL_CTX *);
void SSL_free(SSL *);
int SSL_set_fd(SSL *, int fd);
void SSL_set_accept_state(SSL *);
void SSL_set_connect_state(SSL *);
int SSL_do_handshake(SSL *);
int SSL_read_ex(SSL *, void *to, size_t size, size_t *n);
int SSL_write_ex(SSL *, const void *from, size_t size, size_t *n);
int SSL_shutdown(SSL *);
int SSL_get_error(const SSL *, int result);
long SSL_ctrl(SSL *, int cmd, long larg, void *parg);
int SSL_set1_host(SSL *, const char *name);
int SSL_session_reused(const SSL *);
const char *SSL_get_servername(const SSL *, int type);
const char *SSL_get_version(const SSL *);
int SSL_new_session_ticket(SSL *);
X509 *SSL_get1_peer_certificate(const SSL *);
void X509_free(X509 *);
void *X509_get_subject_name(const X509 *);
char *X509_NAME_oneline(const void *name, char *to, int size);
void ERR_clear_error(void);
unsigned long ERR_peek_error(void);
const char *ERR_reason_error_string(unsigned long code);
]])

local ssl = ffi.load("ssl")
local crypto = ffi.load("crypto")

local tls = {}

local end_of = setmetatable({}, { __index = stream }) -- methods of an end
end_of.__index = end_of

local SET_MIN, SET_MAX, SET_NAME, SET_MODE = 123, 124, 55, 33
local MOVING_BUFFER = 2 -- text that is sent again may be elsewhere by then
local VERSIONS = { ["1.0"] = 0x301, ["1.1"] = 0x302, ["1.2"] = 0x303, ["1.3"] = 0x304 }
local WANT_READ, WANT_WRITE, ZERO_RETURN = 2, 3, 6
local VERIFY_PEER, VERIFY_REQUIRED = 1, 3

local function reason()
  local text = crypto.ERR_reason_error_string(crypto.ERR_peek_error())
  return text ~= nil and ffi.string(text) or "broken"
end

local function must(ok, what)
  if ok ~= 1 then
    error(("%s: %s"):format(what, reason()), 0)
  end
end

local function set_alpn(context, list)
  local parts = {}
  for i, name in ipairs(list) do
    parts[i] = string.char(#name) .. name
  end
  local text = table.concat(parts)
  assert(ssl.SSL_CTX_set_alpn_protos(context, text, #text) == 0)
end

--- What many connections share.
-- @param options certificate, key (files); client_ca (file: the other's certificate is asked for and verified),
--   optional (none will do); version ("1.2": only that), tickets (number that a server of TLS 1.3 sends by itself);
--   client = true for tls.connect, and then alpn (list)
function tls.context(options)
  crypto.ERR_clear_error()
  local method = options.client and ssl.TLS_client_method() or ssl.TLS_server_method()
  local context = ffi.gc(ssl.SSL_CTX_new(method), ssl.SSL_CTX_free)
  if options.certificate then
    must(ssl.SSL_CTX_use_certificate_chain_file(context, options.certificate), options.certificate)
    must(ssl.SSL_CTX_use_PrivateKey_file(context, options.key, 1), options.key)
  end
  if options.client_ca then
    must(ssl.SSL_CTX_load_verify_file(context, options.client_ca), options.client_ca)
    ssl.SSL_CTX_set_verify(context, options.optional and VERIFY_PEER or VERIFY_REQUIRED, nil)
  end
  if options.version then
    ssl.SSL_CTX_ctrl(context, SET_MIN, VERSIONS[options.version], nil)
    ssl.SSL_CTX_ctrl(context, SET_MAX, VERSIONS[options.version], nil)
  end
  if options.tickets then
    ssl.SSL_CTX_set_num_tickets(context, options.tickets)
  end
  if options.alpn then
    set_alpn(context, options.alpn)
  end
  ssl.SSL_CTX_ctrl(context, SET_MODE, MOVING_BUFFER, nil)
  ssl.SSL_CTX_set_session_id_context(context, "spec", 4)
  return context
end

local MASKS = { [WANT_READ] = loop.READ, [WANT_WRITE] = loop.WRITE }

--- What came of a call that did not succeed, as stream:try_receive says it.
local function outcome(self, result)
  local why = ssl.SSL_get_error(self.ssl, result)
  if MASKS[why] then
    return nil, "timeout", MASKS[why]
  elseif why == ZERO_RETURN then
    return nil, "closed"
  end
  self.failure = reason()
  return nil, self.failure
end

local function subject(self)
  local certificate = ssl.SSL_get1_peer_certificate(self.ssl)
  if certificate == nil then
    return nil
  end
  local buffer = ffi.new("char[256]")
  crypto.X509_NAME_oneline(crypto.X509_get_subject_name(certificate), buffer, 256)
  crypto.X509_free(certificate)
  return ffi.string(buffer)
end

local function shake(self)
  local deadline = self:deadline()
  while true do
    crypto.ERR_clear_error()
    local result = ssl.SSL_do_handshake(self.ssl)
    if result == 1 then
      return true
    end
    local _, err, mask = outcome(self, result)
    local ok = mask and loop.wait(self.fd, mask, deadline)
    if not ok or not self.sock then
      return nil, self.sock and err or "closed"
    end
  end
end

local function shake_hands(bytes, context, prepare)
  local self = setmetatable({}, end_of)
  for key, value in pairs(bytes) do
    self[key] = value
  end
  self.context = context -- kept alive
  self.ssl = ffi.gc(ssl.SSL_new(context), ssl.SSL_free)
  ssl.SSL_set_fd(self.ssl, self.fd)
  prepare(self.ssl)
  local ok, err = shake(self)
  if not ok then
    return nil, err
  end
  local name = ssl.SSL_get_servername(self.ssl, 0)
  self.server_name = name ~= nil and ffi.string(name) or nil
  self.resumed = ssl.SSL_session_reused(self.ssl) == 1
  self.version = ffi.string(ssl.SSL_get_version(self.ssl))
  self.peer = subject(self)
  return self
end

--- The server's end on a connected stream, which it takes over.
-- @return end; nil, error
function tls.accept(bytes, context)
  return shake_hands(bytes, context, ssl.SSL_set_accept_state)
end

--- The client's end.
-- @param name asked for (SNI) and verified; nil: neither
function tls.connect(bytes, context, name)
  return shake_hands(bytes, context, function(own)
    ssl.SSL_set_connect_state(own)
    if name then
      ssl.SSL_ctrl(own, SET_NAME, 0, ffi.cast("void *", name))
      ssl.SSL_set1_host(own, name)
    end
  end)
end

--- Connects as a client that takes any certificate.
-- @param options name (for SNI), version, alpn (of tls.context); of stream.connect, too
-- @return end; nil, error
function tls.dial(host, port, options)
  options = options or {}
  local bytes, err = stream.connect(host, port, options)
  if not bytes then
    return nil, err
  end
  local context = tls.context { client = true, version = options.version, alpn = options.alpn }
  local self
  self, err = tls.connect(bytes, context, options.name)
  if not self then
    bytes:close()
  end
  return self, err
end

local buffer, count = ffi.new("char[65536]"), ffi.new("size_t[1]")

function end_of:try_receive(limit)
  crypto.ERR_clear_error()
  local result = ssl.SSL_read_ex(self.ssl, buffer, math.min(limit or 65536, 65536), count)
  if result == 1 then
    return ffi.string(buffer, count[0])
  end
  return outcome(self, result)
end

function end_of:try_send(data, done)
  local piece = data:sub(done + 1, done + 16384)
  crypto.ERR_clear_error()
  local result = ssl.SSL_write_ex(self.ssl, piece, #piece, count)
  if result == 1 then
    return #piece
  end
  return outcome(self, result)
end

--- A server's new ticket, sent now.
function end_of:send_ticket()
  must(ssl.SSL_new_session_ticket(self.ssl), "ticket")
  crypto.ERR_clear_error()
  return ssl.SSL_do_handshake(self.ssl) == 1
end

--- Says that we send no more; reading goes on.
function end_of:shutdown()
  ssl.SSL_shutdown(self.ssl)
  stream.shutdown(self)
end

--- Ends it, with close_notify.
function end_of:close()
  if self.sock then
    crypto.ERR_clear_error()
    if not self.failure then
      ssl.SSL_shutdown(self.ssl)
    end
    stream.close(self)
  end
end

--- Ends it without close_notify.
function end_of:cut()
  stream.close(self)
end

return tls
