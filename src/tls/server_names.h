/* server_names.h - which certificates serve which name.
 *
 * Thread: built by control, then constant. Ownership: certificates and contexts stay the caller's. */
#pragma once
#include "base/map.h"
#include "base/slice.h"
#include "tls/certificate.h"

/* The certificates for one name, one of each kind or NULL. */
struct server_choice {
    struct certificate *of[CERTIFICATE_KINDS];
    void *context; /* the owner's, for exactly these certificates */
};

/* Adds a certificate's names to a map from names to choices. The first certificate of a kind keeps a name. */
void server_names_add(struct map *names, struct certificate *c);

/* What an exact name lacks of a kind it takes from the wildcard that covers it. After the last name was added. */
void server_names_fill(struct map *names);

/* The choice for a name in lower case: its own, that of "*." instead of its first label, or NULL. */
struct server_choice *server_names_find(const struct map *names, struct slice name);

/* Frees the choices and the map. */
void server_names_free(struct map *names);
