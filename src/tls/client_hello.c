#include "tls/client_hello.h"

#include "tls/certificate.h"

#include <openssl/ssl.h>

/* A number of two bytes at *at, which is dropped. False: there are none. */
static bool take_u16(struct slice *at, size_t *out)
{
    if (at->len < 2)
        return false;
    *out = (size_t)((unsigned char)at->data[0] << 8 | (unsigned char)at->data[1]);
    *at = slice_skip(*at, 2);
    return true;
}

/* list length, then a first entry: type 0, length, name. */
struct slice client_hello_name(SSL *ssl, char out[CLIENT_HELLO_NAME_SIZE])
{
    const unsigned char *bytes;
    struct slice at;
    size_t len;

    if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &bytes, &at.len) != 1)
        return SLICE("");
    at.data = (const char *)bytes;
    if (!take_u16(&at, &len) || len != at.len || !at.len || at.data[0] != TLSEXT_NAMETYPE_host_name)
        return SLICE("");
    at = slice_skip(at, 1);
    if (!take_u16(&at, &len) || len > at.len || !certificate_name(slice_of(at.data, len), false, out))
        return SLICE("");
    return slice_str(out);
}
