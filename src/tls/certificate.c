#include "tls/certificate.h"

#include "base/need.h"
#include "tls/pem_file.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <time.h>

enum { RSA_BITS_MIN = 2048, NAME_MAX_LENGTH = 253, OCSP_SKEW_S = 300 };

/* A time, as seconds of the wall clock; one without a date is long ago. */
static int64_t seconds(const ASN1_TIME *at)
{
    struct tm tm;

    if (!at || ASN1_TIME_to_tm(at, &tm) != 1)
        return 0;
    return (int64_t)timegm(&tm);
}

/* ---- names */

static bool is_name_char(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9') || ch == '-' || ch == '_' || ch == '.';
}

bool certificate_name(struct slice text, bool wildcard, char *out)
{
    size_t from = wildcard && slice_starts(text, SLICE("*.")) ? 2 : 0;

    if (text.len > from && text.data[text.len - 1] == '.')
        text.len--;
    if (text.len <= from || text.len > NAME_MAX_LENGTH)
        return false;
    memcpy(out, text.data, text.len);
    out[text.len] = '\0';
    for (size_t i = from; i < text.len; i++) {
        if (out[i] >= 'A' && out[i] <= 'Z')
            out[i] = (char)(out[i] | 0x20);
        if (!is_name_char(out[i]) || (out[i] == '.' && (i == from || out[i - 1] == '.')))
            return false;
    }
    return true;
}

static void add_name(struct certificate *c, const char *name)
{
    c->names = need_resized(c->names, (c->name_count + 1) * sizeof(*c->names));
    c->names[c->name_count] = need_text(name);
    c->name_count++;
}

static bool take_given(struct certificate *c, const struct tls_pair *pair, struct error *err)
{
    char name[NAME_MAX_LENGTH + 3];

    for (unsigned i = 0; i < pair->name_count; i++) {
        if (!certificate_name(slice_str(pair->names[i]), true, name))
            return error_set(err, "%s: \"%.60s\" in names is neither a host name nor *.example.com",
                             pair->certificate, pair->names[i]);
        add_name(c, name);
    }
    return true;
}

/* The certificate's own. One without any may still be for an address, which nobody names in a handshake. */
static bool take_own(struct certificate *c, struct error *err)
{
    GENERAL_NAMES *list = X509_get_ext_d2i(c->leaf, NID_subject_alt_name, NULL, NULL);
    char name[NAME_MAX_LENGTH + 3];
    bool any = false;

    for (int i = 0; i < sk_GENERAL_NAME_num(list); i++) {
        const GENERAL_NAME *one = sk_GENERAL_NAME_value(list, i);

        any = any || one->type == GEN_DNS || one->type == GEN_IPADD;
        if (one->type == GEN_DNS &&
            certificate_name(slice_of((const char *)ASN1_STRING_get0_data(one->d.dNSName),
                                      (size_t)ASN1_STRING_length(one->d.dNSName)),
                             true, name))
            add_name(c, name);
    }
    GENERAL_NAMES_free(list);
    if (!any)
        return error_set(err, "%s: has no names (subjectAltName), clients would refuse it; have it issued anew",
                         c->file);
    return true;
}

/* ---- what fits together */

static bool check_chain(const struct certificate *c, struct error *err)
{
    X509 *below = c->leaf;

    for (int i = 0; i < sk_X509_num(c->chain); i++) {
        X509 *issuer = sk_X509_value(c->chain, i);

        if (X509_check_issued(issuer, below) != X509_V_OK)
            return error_set(err, "%s: certificate %d did not issue certificate %d; put the server's own first and "
                             "behind each one its issuer", c->file, i + 2, i + 1);
        below = issuer;
    }
    return true;
}

static bool check_kind(struct certificate *c, const char *key_file, struct error *err)
{
    switch (EVP_PKEY_get_base_id(c->key)) {
    case EVP_PKEY_EC:
        c->kind = CERTIFICATE_ECDSA;
        return true;
    case EVP_PKEY_ED25519:
        c->kind = CERTIFICATE_ED25519;
        return true;
    case EVP_PKEY_RSA:
        c->kind = CERTIFICATE_RSA;
        if (EVP_PKEY_get_bits(c->key) >= RSA_BITS_MIN)
            return true;
        return error_set(err, "%s: an RSA key of %d bits is too short, 2048 are needed", key_file,
                         EVP_PKEY_get_bits(c->key));
    default:
        return error_set(err, "%s: the key is neither ECDSA, RSA nor Ed25519", key_file);
    }
}

static bool take_dates(struct certificate *c)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    c->not_before_s = seconds(X509_get0_notBefore(c->leaf));
    c->not_after_s = seconds(X509_get0_notAfter(c->leaf));
    if (X509_digest(c->leaf, EVP_sha256(), digest, &len) != 1)
        return false;
    CHECK(len == DIGEST_SHA256_SIZE);
    for (unsigned i = 0; i < len; i++)
        snprintf(c->fingerprint + 2 * i, 3, "%02x", digest[i]);
    return true;
}

/* ---- OCSP */

/* Does it speak of the certificate, and until when? */
static bool check_single(struct certificate *c, OCSP_BASICRESP *basic, const char *path, struct error *err)
{
    X509 *issuer = sk_X509_num(c->chain) ? sk_X509_value(c->chain, 0) : c->leaf;
    OCSP_CERTID *id = OCSP_cert_to_id(NULL, c->leaf, issuer);
    ASN1_GENERALIZEDTIME *from = NULL, *until = NULL;
    int status = -1;
    bool found = id && OCSP_resp_find_status(basic, id, &status, NULL, NULL, &from, &until) == 1;

    OCSP_CERTID_free(id);
    if (!found)
        return error_set(err, "%s: answers for another certificate than %s (whose issuer has to follow it there)",
                         path, c->file);
    if (status != V_OCSP_CERTSTATUS_GOOD)
        return error_set(err, "%s: says that %s is %s", path, c->file, OCSP_cert_status_str(status));
    c->ocsp_until_s = until ? seconds(until) : INT64_MAX;
    if (seconds(from) > (int64_t)time(NULL) + OCSP_SKEW_S)
        return error_set(err, "%s: is from the future; set the clock right", path);
    return true;
}

static bool take_ocsp(struct certificate *c, const char *path, char *text, size_t len, struct error *err)
{
    const unsigned char *at = (const unsigned char *)text;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)len);
    OCSP_BASICRESP *basic = response && OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL
                                ? OCSP_response_get1_basic(response)
                                : NULL;
    bool ok = basic && check_single(c, basic, path, err);

    if (!basic)
        error_set(err, "%s: is no successful OCSP answer in DER", path);
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    ERR_clear_error();
    c->ocsp = ok ? OPENSSL_memdup(text, len) : NULL;
    c->ocsp_len = ok ? len : 0;
    return ok;
}

/* ---- loading */

struct files {
    char *certificate, *key, *ocsp;
    size_t certificate_len, key_len, ocsp_len;
};

static bool read_files(const struct tls_pair *pair, struct files *f, struct error *err)
{
    f->certificate = pem_file_read(pair->certificate, &f->certificate_len, err);
    f->key = f->certificate ? pem_file_read(pair->key, &f->key_len, err) : NULL;
    if (!f->key)
        return false;
    f->ocsp = pair->ocsp ? pem_file_read(pair->ocsp, &f->ocsp_len, err) : NULL;
    return f->ocsp || !pair->ocsp;
}

static void free_files(struct files *f)
{
    if (f->key)
        OPENSSL_cleanse(f->key, f->key_len);
    free(f->certificate);
    free(f->key);
    free(f->ocsp);
}

static void digest_files(const struct files *f, uint8_t out[DIGEST_SHA256_SIZE])
{
    uint8_t each[3][DIGEST_SHA256_SIZE] = {{0}};

    digest_sha256(f->certificate, f->certificate_len, each[0]);
    digest_sha256(f->key, f->key_len, each[1]);
    if (f->ocsp)
        digest_sha256(f->ocsp, f->ocsp_len, each[2]);
    digest_sha256(each, sizeof(each), out);
}

static bool load(struct certificate *c, const struct tls_pair *pair, const struct files *f, struct error *err)
{
    c->chain = pem_file_certificates(pair->certificate, f->certificate, f->certificate_len, err);
    if (!c->chain)
        return false;
    c->leaf = sk_X509_shift(c->chain);
    c->key = pem_file_key(pair->key, f->key, f->key_len, err);
    if (!c->key || !check_kind(c, pair->key, err))
        return false;
    if (X509_check_private_key(c->leaf, c->key) != 1) {
        ERR_clear_error();
        return error_set(err, "%s: is not the key of the first certificate in %s", pair->key, pair->certificate);
    }
    if (!take_dates(c))
        return error_set(err, "%s: %s", pair->certificate, strerror(ENOMEM));
    digest_files(f, c->digest);
    return check_chain(c, err) && (pair->name_count ? take_given(c, pair, err) : take_own(c, err)) &&
           (!f->ocsp || take_ocsp(c, pair->ocsp, f->ocsp, f->ocsp_len, err));
}

struct certificate *certificate_load(const struct tls_pair *pair, struct error *err)
{
    struct certificate *c = need_zeroed(1, sizeof(*c));
    struct files files = {0};
    bool ok;

    c->refs = 1;
    c->told_days = CERTIFICATE_UNTOLD;
    c->file = need_text(pair->certificate);
    ok = read_files(pair, &files, err) && load(c, pair, &files, err);
    free_files(&files);
    if (ok)
        return c;
    certificate_unref(c);
    return NULL;
}

struct certificate *certificate_ref(struct certificate *c)
{
    CHECK(c->refs > 0);
    c->refs++;
    return c;
}

void certificate_unref(struct certificate *c)
{
    if (!c)
        return;
    CHECK(c->refs > 0);
    if (--c->refs > 0)
        return;
    for (unsigned i = 0; i < c->name_count; i++)
        free(c->names[i]);
    free(c->names);
    free(c->file);
    OPENSSL_free(c->ocsp);
    X509_free(c->leaf);
    sk_X509_pop_free(c->chain, X509_free);
    EVP_PKEY_free(c->key);
    free(c);
}

const char *certificate_kind_text(enum certificate_kind kind)
{
    static const char *const texts[CERTIFICATE_KINDS] = {
        [CERTIFICATE_ECDSA] = "ECDSA", [CERTIFICATE_RSA] = "RSA", [CERTIFICATE_ED25519] = "Ed25519"};

    return texts[kind];
}
