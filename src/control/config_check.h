/* config_check.h - what a route and a setting may be: the checks of single values.
 *
 * Every refusal names the field it is about.
 *
 * Thread: any; pure. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/error.h"
#include "base/slice.h"
#include "config/url.h"
#include "control/config_set.h"
#endif

enum {
    DOMAIN_SIZE = 256,      /* bytes of a domain with its NUL */
    PATH_LENGTH_MAX = 1024, /* bytes of a route's path */
    URL_LENGTH_MAX = 2048,  /* bytes of a backend URL */
    ROUTE_DOMAINS_MAX = 256,
    KEY_LENGTH_MAX = 128, /* bytes of a header name or option key */
    PRIORITY_MAX = INT32_MAX
};

/* A host name, "*.example.com" or "*", put into out in lower case, without a dot at its end. */
MUST_USE bool config_check_domain(struct slice text, char out[DOMAIN_SIZE], struct error *err);

/* The path of a route, a health check, ...: starts with "/", neither query nor fragment. field: its
 * name. */
MUST_USE bool config_check_path(const char *field, struct slice path, struct error *err);

/* A URL that requests can be sent to. */
MUST_USE bool config_check_backend(struct slice text, struct url *out, struct error *err);

/* Not beyond PRIORITY_MAX on either side. */
MUST_USE bool config_check_priority(int64_t priority, struct error *err);

/* Key and value of a setting, as config_set_put takes them. */
MUST_USE bool config_check_setting(enum scope scope, struct slice key, struct slice value,
                                   struct error *err);
