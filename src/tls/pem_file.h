/* pem_file.h - reads certificates and keys from files in PEM.
 *
 * Thread: control. Ownership: what is returned is the caller's. Errors name the file and what to mend. */
#pragma once
#include "base/error.h"
#include <stddef.h>

struct evp_pkey_st;
struct stack_st_X509;

/* A file's bytes, NUL behind them; for free. NULL: err. */
MUST_USE char *pem_file_read(const char *path, size_t *len, struct error *err);

/* The certificates of a file's text, at least one. NULL: err. */
MUST_USE struct stack_st_X509 *pem_file_certificates(const char *path, const char *text, size_t len,
                                                     struct error *err);

/* Could pem_file_certificates read them? */
MUST_USE bool pem_file_check(const char *path, const char *text, size_t len, struct error *err);

/* The first private key of a file's text. NULL: err. */
MUST_USE struct evp_pkey_st *pem_file_key(const char *path, const char *text, size_t len, struct error *err);
