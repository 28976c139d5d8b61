#include "config.h"

#include "files/content-digest.h"

#include "files/scan.h"
#include "model/digest-line.h"

#include <openssl/evp.h>
#include <string.h>

#define BLOCK_BYTES (64 * 1024)
#define SHA256_BYTES (FERRY_DIGEST_DIGITS / 2)

struct FerryContentDigest {
    EVP_MD_CTX *context;
    guint64 block; /* number of the block in @pending */
    bool has_pending;
    guint8 pending[BLOCK_BYTES]; /* zero where nothing was told */
};

FerryContentDigest *
ferry_content_digest_new(void)
{
    FerryContentDigest *self = g_new0(FerryContentDigest, 1);

    self->context = EVP_MD_CTX_new();
    if (!self->context || EVP_DigestInit_ex(self->context, EVP_sha256(), NULL) != 1)
        g_error("OpenSSL has no SHA-256");
    return self;
}

void
ferry_content_digest_free(FerryContentDigest *self)
{
    if (!self)
        return;
    EVP_MD_CTX_free(self->context);
    g_free(self);
}

static bool
is_zero(const guint8 *data, gsize length)
{
    return data[0] == 0 && memcmp(data, data + 1, length - 1) == 0;
}

static void
hash_number(FerryContentDigest *self, guint64 number)
{
    guint64 wire = GUINT64_TO_BE(number);

    EVP_DigestUpdate(self->context, &wire, sizeof wire);
}

static void
hash_block(FerryContentDigest *self, guint64 block, const guint8 *data)
{
    if (is_zero(data, BLOCK_BYTES))
        return;
    hash_number(self, block * BLOCK_BYTES);
    EVP_DigestUpdate(self->context, data, BLOCK_BYTES);
}

static void
flush(FerryContentDigest *self)
{
    if (!self->has_pending)
        return;
    hash_block(self, self->block, self->pending);
    memset(self->pending, 0, sizeof self->pending);
    self->has_pending = false;
}

void
ferry_content_digest_add(FerryContentDigest *self, guint64 offset, const guint8 *data, gsize length)
{
    while (length > 0) {
        guint64 block = offset / BLOCK_BYTES;
        gsize at = (gsize)(offset % BLOCK_BYTES);
        gsize taken = MIN(length, BLOCK_BYTES - at);

        if (self->has_pending && self->block != block)
            flush(self);
        if (taken == BLOCK_BYTES) {
            hash_block(self, block, data);
        } else {
            memcpy(self->pending + at, data, taken);
            self->block = block;
            self->has_pending = true;
        }
        offset += taken;
        data += taken;
        length -= taken;
    }
}

char *
ferry_content_digest_finish(FerryContentDigest *self, guint64 file_bytes)
{
    guint8 sum[SHA256_BYTES];
    GString *line = g_string_new(FERRY_DIGEST_PREFIX);

    flush(self);
    hash_number(self, file_bytes);
    EVP_DigestFinal_ex(self->context, sum, NULL);
    for (gsize i = 0; i < sizeof sum; i++)
        g_string_append_printf(line, "%02x", sum[i]);
    return g_string_free(line, FALSE);
}

typedef struct {
    FerryContentDigest *digest;
    guint64 file_bytes;
} Reading;

static bool
take_piece(guint64 offset, const guint8 *data, gsize length, gpointer user, GError **error)
{
    Reading *reading = user;

    if (length == 0)
        reading->file_bytes = offset;
    else
        ferry_content_digest_add(reading->digest, offset, data, length);
    return true;
}

char *
ferry_content_digest_of_file(FerryVirt *virt,
                             const char *path,
                             GCancellable *cancellable,
                             GError **error)
{
    g_autoptr(FerryContentDigest) digest = ferry_content_digest_new();
    Reading reading = {digest, 0};
    const FerryFileScan scan = {.virt = virt, .path = path, .cancellable = cancellable};

    if (!ferry_file_scan(&scan, take_piece, &reading, error))
        return NULL;
    return ferry_content_digest_finish(digest, reading.file_bytes);
}
