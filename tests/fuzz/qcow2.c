/* The first bytes of an image that a guest may have written. */
#include "config.h"

#include "target.h"

#include "model/qcow2.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    FerryQcow2 qcow2 = {0};

    if (!ferry_qcow2_parse(data, size, &qcow2, &error)) {
        g_assert_nonnull(error);
        g_assert_false(qcow2.known);
        return 0;
    }
    g_assert_true(qcow2.known);
    g_assert_true(qcow2.version == 2 || qcow2.version == 3);
    g_assert_cmpuint(qcow2.cluster_size_bytes, >=, 512);
    g_assert_cmpuint(qcow2.cluster_size_bytes, <=, 2 * 1024 * 1024);
    g_assert_cmpuint(qcow2.refcount_bits, >=, 1);
    g_assert_cmpuint(qcow2.refcount_bits, <=, 64);
    g_assert_nonnull(ferry_qcow2_compat(&qcow2));
    return 0;
}
