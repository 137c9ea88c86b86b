#include "tls/pem_file.h"

#include "base/file_error.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 1 << 20, CHAIN_MAX = 20 };

/* Up to FILE_MAX + 1 bytes. -1: errno. */
static ssize_t read_all(int fd, char *to)
{
    size_t len = 0;
    ssize_t got;

    while ((got = read(fd, to + len, FILE_MAX + 1 - len)) != 0) {
        if (got < 0 && errno != EINTR)
            return -1;
        len += got > 0 ? (size_t)got : 0;
    }
    return (ssize_t)len;
}

char *pem_file_read(const char *path, size_t *len, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    ssize_t got;
    char *text, why[FILE_ERROR_SIZE];

    if (fd < 0 || fstat(fd, &st) < 0) {
        error_set(err, "%s: %s", path, file_error(path, errno, why));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    text = S_ISREG(st.st_mode) ? malloc(FILE_MAX + 2) : NULL;
    got = text ? read_all(fd, text) : 0;
    if (!text)
        error_set(err, "%s: is not a file", path);
    else if (got < 0)
        error_set(err, "%s: %s", path, strerror(errno));
    else if (got > FILE_MAX)
        error_set(err, "%s: is longer than 1 MiB", path);
    close(fd);
    if (!text || got < 0 || got > FILE_MAX) {
        free(text);
        return NULL;
    }
    text[got] = '\0';
    *len = (size_t)got;
    return text;
}

/* Nobody is there to type one. */
static int no_passphrase(char *to, int size, int writes, void *arg)
{
    (void)to;
    (void)size;
    (void)writes;
    *(bool *)arg = true;
    return -1;
}

STACK_OF(X509) *pem_file_certificates(const char *path, const char *text, size_t len, struct error *err)
{
    BIO *bio = BIO_new_mem_buf(text, (int)len);
    STACK_OF(X509) *list = sk_X509_new_null();
    bool encrypted = false, ok = bio && list;
    X509 *one;

    ERR_clear_error();
    while (ok && (one = PEM_read_bio_X509(bio, NULL, no_passphrase, &encrypted)) != NULL)
        ok = sk_X509_push(list, one) && sk_X509_num(list) <= CHAIN_MAX;
    if (!bio || !list)
        error_set(err, "%s: out of memory", path);
    else if (!ok)
        error_set(err, "%s: has more than %d certificates", path, CHAIN_MAX);
    else if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        ok = error_set(err, "%s: certificate %d cannot be read; it has to be in PEM", path,
                       sk_X509_num(list) + 1);
    else if (!sk_X509_num(list))
        ok = error_set(err, "%s: has no certificate; it needs one in PEM (BEGIN CERTIFICATE)", path);
    ERR_clear_error();
    BIO_free(bio);
    if (ok)
        return list;
    sk_X509_pop_free(list, X509_free);
    return NULL;
}

bool pem_file_check(const char *path, const char *text, size_t len, struct error *err)
{
    STACK_OF(X509) *list = pem_file_certificates(path, text, len, err);
    bool ok = list != NULL;

    sk_X509_pop_free(list, X509_free);
    return ok;
}

EVP_PKEY *pem_file_key(const char *path, const char *text, size_t len, struct error *err)
{
    BIO *bio = BIO_new_mem_buf(text, (int)len);
    bool encrypted = false;
    EVP_PKEY *key;

    if (!bio) {
        error_set(err, "%s: out of memory", path);
        return NULL;
    }
    key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &encrypted);
    ERR_clear_error();
    BIO_free(bio);
    if (!key && encrypted)
        error_set(err, "%s: the key needs a passphrase; write it without (openssl pkey -in ... -out ...)", path);
    else if (!key)
        error_set(err, "%s: has no private key that can be read; it has to be in PEM", path);
    return key;
}
