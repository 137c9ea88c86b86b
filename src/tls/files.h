/* files.h - from files to a context, for the contexts of src/tls: what is trusted, what is shown, and how a failure is told.
 *
 * Thread: any. */
#pragma once
#include "base/error.h"

struct ssl_ctx_st;

/* TLS 1.2 and 1.3 with the cipher suites of Mozilla's intermediate list; no terminal is asked for passwords. */
MUST_USE bool tls_files_defaults(struct ssl_ctx_st *ctx, struct error *err);

/* file NULL: the system's store. False: err names the file. */
MUST_USE bool tls_files_trust(struct ssl_ctx_st *ctx, const char *file, struct error *err);

/* Where the system's store is: a file and a directory, either of which may not be there. */
void tls_files_store(const char *store[2]);

/* A certificate, the chain behind it, and its key. False: err names the file. */
MUST_USE bool tls_files_present(struct ssl_ctx_st *ctx, const char *certificate, const char *key, struct error *err);

/* What OpenSSL last had against a file, as an error. Always false. */
bool tls_files_refused(struct error *err, const char *file, const char *what);
