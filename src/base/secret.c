#include "base/secret.h"

#include <stdlib.h>

bool secret_equal(struct slice given, struct slice secret)
{
    static const char nothing[1];
    const volatile char *known = secret.len ? secret.data : nothing; /* volatile: every byte is read */
    size_t last = secret.len ? secret.len - 1 : 0;
    volatile unsigned char differ = given.len != secret.len;

    for (size_t i = 0; i < given.len; i++)
        differ |= (unsigned char)(given.data[i] ^ known[i < last ? i : last]);
    return differ == 0;
}

void secret_free(char *secret)
{
    if (!secret)
        return;
    explicit_bzero(secret, strlen(secret));
    free(secret);
}
