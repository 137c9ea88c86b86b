/* settings.h - the configuration file's scalar and list settings, as workers and control read them.
 *
 * Names, types, units, defaults, ranges and meanings are documented in one place,
 * lua/config/schema.lua, which also checks them; this struct is filled from its checked result. A
 * setting that a row below names is read from the checked configuration under its dotted path; a
 * missing one is a bug (CHECK).
 *
 * Thread: filled by control, then immutable; workers read it through their snapshot. Ownership:
 * references counted by control only; every snapshot holds one. FFI-clean but for its lists. */
#ifndef FFI_CDEF
#pragma once
#include "base/check.h"
#include "base/slice.h"
#include "base/sock.h"
#include "tls/tls_config.h"
#include <stdbool.h>
#include <stdint.h>
#endif

/* X(field, dotted path): whole numbers. Times are in milliseconds, sizes in bytes. */
#define SETTINGS_NUMBERS(X)                                                                        \
    X(workers, "workers")               /* 0: one per core */                                      \
    X(handshake_timeout_ms, "timeouts.handshake") /* of TLS with a client, all of it */ \
    X(handshakes, "limits.handshakes") /* of one worker at a time */ \
    X(head_timeout_ms, "timeouts.head") /* from a request's first byte to its head's end */        \
    X(keep_alive_timeout_ms, "timeouts.keep_alive") /* an idle client connection */                \
    X(connections, "limits.connections")        /* of clients, over all workers, 0: as descriptors allow */ \
    X(connections_per_address, "limits.connections_per_address") /* 0: any */                      \
    X(keep_alive_age_ms, "timeouts.keep_alive_age") /* of a client connection, 0: any */           \
    X(spare_memory_ms, "timeouts.spare_memory") /* unused for so long it is given back */          \
    X(keep_alive_requests, "limits.keep_alive_requests") /* of a client connection, 0: any */      \
    X(body_timeout_ms, "timeouts.body")             /* between two reads of a request body */      \
    X(send_timeout_ms, "timeouts.send")             /* a client that takes no bytes */             \
    X(rate_window_ms, "timeouts.rate")              /* over which both rates are taken */          \
    X(body_rate, "limits.body_rate")                /* bytes a second, 0: any */                   \
    X(send_rate, "limits.send_rate")                /* bytes a second, 0: any */                   \
    X(connect_timeout_ms, "timeouts.connect")       /* one connection attempt to a backend */      \
    X(response_timeout_ms, "timeouts.response") /* first byte of a response, then between reads */ \
    X(pool_timeout_ms, "timeouts.pool")         /* an idle backend connection */                   \
    X(grace_ms, "timeouts.grace")               /* a disconnected session */                       \
    X(staged_ms, "timeouts.staged")             /* staged changes nobody applied */                \
    X(shutdown_timeout_ms, "timeouts.shutdown") /* requests in flight at SIGTERM */                \
    X(registry_handshake_ms, "timeouts.registry_handshake") /* of a registry connection */         \
    X(registry_auth_ms, "timeouts.registry_auth") /* of a registry connection, from its begin to AUTH */ \
    X(registry_idle_ms, "timeouts.registry_idle") /* one without session and events that says nothing */ \
    X(resolve_timeout_ms, "timeouts.resolve")   /* one name resolution */                          \
    X(tunnel_idle_ms, "timeouts.tunnel")        /* nothing passes through a tunnel */              \
    X(tunnel_message_ms, "timeouts.tunnel_message") /* end of a message before a tunnel closes */  \
    X(tunnel_close_ms, "timeouts.tunnel_close") /* time over which a gone member's tunnels close */ \
    X(head_size, "limits.head_size")            /* bytes of a head */                              \
    X(header_count, "limits.header_count")      /* fields of a head */                             \
    X(target_length, "limits.target_length")    /* bytes of a request target */                    \
    X(max_body_size, "limits.body_size")        /* bytes of a request body, 0: any */              \
    X(buffer_size, "limits.buffer_size")        /* bytes of a connection buffer */                 \
    X(buffer_memory, "limits.buffer_memory")    /* bytes of a worker's buffers, 0: any */          \
    X(pool_size, "limits.pool_size")            /* idle connections per backend and worker */      \
    X(registry_connections, "limits.registry_connections") /* open at a time */                    \
    X(sessions, "limits.sessions") /* of services */ \
    X(metadata_size, "limits.metadata_size") /* bytes of a session's */ \
    X(routes_per_session, "limits.routes_per_session") \
    X(domains_per_route, "limits.domains_per_route") \
    X(headers_per_target, "limits.headers_per_target") /* of HEADERS_SET */ \
    X(staged_bytes, "limits.staged_bytes") /* of one session's draft */ \
    X(session_takeovers, "limits.session_takeovers") /* of one session, a second */ \
    X(session_operations, "limits.session_operations") /* of one session at a time */ \
    X(registry_waiting, "limits.registry_waiting") /* commands whose answer comes later, at a time */ \
    X(registry_per_address, "limits.registry_per_address") /* of these, from one address */ \
    X(registry_auth_lines, "limits.registry_auth_lines") /* that a connection may send before AUTH */ \
    X(registry_lines, "limits.registry_lines") /* of one connection, a second */ \
    X(registry_burst, "limits.registry_burst") /* at once */ \
    X(registry_output,                                                                             \
      "limits.registry_output") /* bytes queued for a client that does not read */                 \
    X(h2_max_streams, "http2.max_streams")           /* of a connection at a time */                \
    X(h2_resets, "http2.max_resets")                 /* in ten seconds */                          \
    X(h2_control_frames, "http2.max_control_frames") /* in ten seconds */                          \
    X(ratelimit_sources, "limits.ratelimit_sources") /* addresses remembered for rate limits */    \
    X(maintenance_interval_ms, "maintenance.check_interval") /* between two tries */               \
    X(maintenance_timeout_ms, "maintenance.timeout") /* until waiting for an answer ends */        \
    X(rollback_failures, "scripts_rollback.failures") /* of scripts, which take a generation back; 0: never */ \
    X(rollback_window_ms, "scripts_rollback.window")  /* within which they count */ \
    X(script_load_ms, "scripts_budget.load")         /* one script's */                            \
    X(script_command_ms, "scripts_budget.command")   /* a registry command's */                    \
    X(script_health_ms, "scripts_budget.health")     /* a health policy's */                       \
    X(script_page_ms, "scripts_budget.page")         /* one page's */                              \
    X(script_policy_ms, "scripts_budget.policy")     /* a request policy's */                      \
    X(script_memory, "scripts_memory")               /* bytes of a VM */                           \
    X(compress_min_size, "compression.min_size") /* bytes of a body, where they are known */       \
    X(compress_gzip, "compression.gzip")         /* levels */                                      \
    X(compress_brotli, "compression.br")                                                           \
    X(compress_zstd, "compression.zstd")                                                           \
    X(compress_cpu, "compression.cpu")         /* percent of a worker's time; 100: any */          \
    X(compress_streams, "compression.streams") /* of a worker at a time */                         \
    X(retries, "retries") /* further tries, where a route has no option of its own */

/* X(field, dotted path): true or false. */
#define SETTINGS_FLAGS(X)                                                                          \
    X(scripts_watch, "scripts_watch") /* reload scripts whose files change */                      \
    X(forwarded, "forwarded") /* send Forwarded (RFC 7239) */                                      \
    X(registry_tls_only, "registry_tls.only") /* no plain listener */                              \
    X(defer_accept, "defer_accept") /* until a client has sent something */                        \
    X(sandbox, "sandbox") /* limit files and system calls */                                       \
    X(core_dumps, "core_dumps")                                                                    \
    X(h2_cleartext, "http2.cleartext") /* with prior knowledge */                                  \
    X(health_checks, "health_checks")

/* What a request for a host nobody serves gets. */
enum unknown_host { UNKNOWN_HOST_404, UNKNOWN_HOST_503, UNKNOWN_HOST_CLOSE };

enum access_format { ACCESS_OFF, ACCESS_TEXT, ACCESS_JSON };

/* What clients without TLS get. */
enum redirect_https { REDIRECT_OFF, REDIRECT_301, REDIRECT_308 };

/* A response header that the proxy sets. */
struct header_value {
    struct slice name, value;
};

/* Files that services can name. */
struct tls_authority {
    char *name, *file;
};
struct tls_certificate {
    char *name, *certificate, *key;
    bool services_set; /* it is for these only */
    char **services;
    unsigned service_count;
};

/* Which service the holder of a certificate may be. */
struct registry_service {
    char *name;    /* in the certificate */
    char *service; /* of the registry */
};

struct settings {
    unsigned refs; /* control only */
    /* scalars */
#define SETTINGS_FIELD_NUMBER(field, path) uint64_t field;
#define SETTINGS_FIELD_FLAG(field, path) bool field;
    SETTINGS_NUMBERS(SETTINGS_FIELD_NUMBER)
    SETTINGS_FLAGS(SETTINGS_FIELD_FLAG)
#undef SETTINGS_FIELD_NUMBER
#undef SETTINGS_FIELD_FLAG
    enum unknown_host unknown_host;
    enum access_format access_format;
    enum redirect_https redirect_https;
    char *acme_directory; /* NULL: challenges pass like any request */
    char *access_file;    /* path, "-" for standard output */
    char *log_level;      /* "error", "warn", "info", "debug" */
    char *registry_token; /* NULL: none needed */
    char *registry_certificate, *registry_key, *registry_client_ca; /* files, or NULL */
    char *scripts_dir;
    char *user, *group; /* by name or number, to become before serving; or NULL */
    char *bypass_header;    /* field by which operators pass maintenance; NULL: none */
    char *bypass_secret;    /* its value */
    char *resolver_servers; /* "127.0.0.1:5353,..." or NULL for the system's */
#ifndef FFI_CDEF
    /* lists */
    struct address *http; /* listeners */
    unsigned http_count;
    struct address *https; /* listeners that speak TLS */
    unsigned https_count;
    struct tls_config tls;
    struct address registry;
    bool registry_tls_on; /* registry_tls is an address */
    struct address registry_tls;
    enum tls_client_certificates registry_client_certificates; /* of that listener */
    struct registry_service *registry_services;
    unsigned registry_service_count;
    bool registry_services_set; /* else a name is the service's */
    struct cidr *trusted_proxies; /* whose X-Forwarded-*, Forwarded are believed */
    unsigned trusted_proxy_count;
    struct cidr *bypass_ranges; /* addresses of clients that pass maintenance */
    unsigned bypass_range_count;
    struct header_value
        *response_headers; /* default response headers; NUL-terminated slices, owned */
    unsigned response_header_count;
    struct slice *compress_types; /* patterns as http/media_type.h reads them; NUL-terminated, owned */
    unsigned compress_type_count;
    struct slice *compress_order; /* names of codings, favourite first; NUL-terminated, owned */
    unsigned compress_order_count;
    struct slice *sandbox_paths; /* read in the sandbox, too; NUL-terminated, owned */
    unsigned sandbox_path_count;
    struct tls_authority *tls_authorities; /* whom backends' certificates may come from */
    unsigned tls_authority_count;
    struct tls_certificate *tls_certificates; /* our own, for backends */
    unsigned tls_certificate_count;
#endif
};

struct settings *settings_new(void); /* zeroed, one reference */
struct settings *settings_ref(struct settings *s);
void settings_unref(
    struct settings *s); /* frees all that it owns with the last one; NULL is fine */
