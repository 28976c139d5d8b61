/* A domain's XML, which a destination gets from a stranger. */
#include "config.h"

#include "target.h"

#include "xml/domain-needs.h"
#include "xml/domain.h"

#include "ferry/json.h"

#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *xml = g_strndup((const char *)data, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryInstance) instance = ferry_domxml_parse(xml, &error);
    g_autofree char *redacted = ferry_domxml_redact(xml);
    g_autoptr(GError) needs_error = NULL;
    g_autoptr(FerryGuestNeeds) needs = ferry_guest_needs_parse(xml, &needs_error);

    g_assert_true((needs == NULL) == (needs_error != NULL));
    g_assert_true((instance == NULL) == (error != NULL));
    if (!instance)
        return 0;
    g_assert_nonnull(redacted);

    g_autoptr(FerryJson) object = ferry_instance_to_json(instance);

    g_assert_nonnull(object);
    return 0;
}
