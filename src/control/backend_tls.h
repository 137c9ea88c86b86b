/* backend_tls.h - which TLS a route speaks to its backend: from its options and the files of the configuration to a
 * context.
 *
 * Services choose names, never files: tls_ca is one of backend_tls.authorities, tls_cert one of backend_tls.certificates. All files are
 * read when the configuration is, so that one that cannot be is refused then; contexts of further combinations are made when an
 * apply first needs one, and kept until the configuration is read again. SIGHUP reads all files anew; connections that were
 * made before are not used again.
 *
 * Thread: control. Ownership: struct control has one. */
#pragma once
#include "base/error.h"
#include "config/url.h"

struct backend_tls;
struct config_set;
struct session;
struct settings;
struct tls_client;

/* For the reader of the configuration: can it be used? False: err names the file and says what is wrong. */
MUST_USE bool backend_tls_try_authorities(const char *file, struct error *err);
MUST_USE bool backend_tls_try_certificate(const char *certificate, const char *key, struct error *err);

/* What the options of a route say; borrowed from its set. */
struct backend_tls_choice {
    bool verify;
    const char *authority, *certificate; /* names, NULL: not set */
    const char *server_name;             /* NULL: the URL's host */
    bool denied;                         /* the certificate is not for this service */
};

/* Reads all files. NULL: err names the setting and says what is wrong. */
struct backend_tls *backend_tls_new(struct settings *settings, struct error *err);
void backend_tls_free(struct backend_tls *tls); /* NULL is fine */

/* set: of the session s. route_id: a route of set, or "ALL" for what is set for all of them. */
struct backend_tls_choice backend_tls_choose(const struct session *s, const struct config_set *set,
                                             const char *route_id);

/* A copy with texts of its own. */
struct backend_tls_choice backend_tls_copy(const struct backend_tls_choice *choice);
void backend_tls_choice_fini(struct backend_tls_choice *copy);

/* Do both say the same? */
bool backend_tls_equal(const struct backend_tls_choice *a, const struct backend_tls_choice *b);

/* Whom a backend's certificate has to be for, not NUL-terminated. *is_ip: it is an address. */
struct slice backend_tls_name(const struct backend_tls_choice *choice, const struct url *url, bool *is_ip);

/* Can every TLS route of set, which is the session's, get what it asks for? False: "route r2: tls_ca: ...". */
MUST_USE bool backend_tls_check(const struct session *s, const struct config_set *set, struct error *err);

/* The context that offers HTTP/2, or HTTP/1.1, never NULL: one that could not be made trusts nobody, and the log says so. NULL for choice: one that reports on certificates
 * and goes on. Borrowed: kept until backend_tls_free. */
struct tls_client *backend_tls_client(struct backend_tls *tls, const struct backend_tls_choice *choice, bool http2);
