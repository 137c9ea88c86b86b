/* client_hello.h - what a client says first.
 *
 * Thread: any. */
#pragma once
#include "base/slice.h"

struct ssl_st;

enum { CLIENT_HELLO_NAME_SIZE = 257 };

/* The host name that the client asks for (server_name, RFC 6066 3), within the callback for its first message: in lower
 * case, without a dot at its end, in out. Empty: none, or none that a certificate could have. */
struct slice client_hello_name(struct ssl_st *ssl, char out[CLIENT_HELLO_NAME_SIZE]);
