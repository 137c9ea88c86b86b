--- Bytes of a TLS 1.3 client that does nothing but change its keys, over and over, and asks for something at last.
--
--   local bytes = key_updates(connection, 100000, "GET / HTTP/1.1\r\n\r\n")   -- connection: of tls.connect
--
-- They are made ahead, so that they can be sent as fast as the other side takes them.

local ffi = require("ffi")

pcall(ffi.cdef, [[
typedef struct bio_st BIO;
const void *BIO_s_mem(void);
BIO *BIO_new(const void *method);
long BIO_ctrl(BIO *, int cmd, long larg, void *parg);
void SSL_set0_wbio(SSL *, BIO *);
int SSL_key_update(SSL *, int kind);
]])

local ssl, crypto = ffi.load("ssl"), ffi.load("crypto")
local INFO = 3

return function(connection, count, last)
  local memory, out, written = crypto.BIO_new(crypto.BIO_s_mem()), ffi.new("char *[1]"), ffi.new("size_t[1]")
  ssl.SSL_set0_wbio(connection.ssl, memory)
  for _ = 1, count do
    assert(ssl.SSL_key_update(connection.ssl, 0) == 1 and ssl.SSL_do_handshake(connection.ssl) == 1)
  end
  assert(ssl.SSL_write_ex(connection.ssl, last, #last, written) == 1)
  local len = tonumber(crypto.BIO_ctrl(memory, INFO, 0, out))
  return ffi.string(out[0], len)
end
