#include "config.h"

#include "checks/devices.h"

#include "virt/presence.h"

static void
check_secret(const FerryCheckScene *scene, const FerrySecretNeed *secret)
{
    const char *name = secret->uuid ? secret->uuid : secret->usage;
    g_autoptr(GError) error = NULL;

    switch (ferry_virt_secret_presence(scene->connection, secret->uuid, secret->type, secret->usage,
                                       &error)) {
    case FERRY_PRESENCE_ACTIVE:
        ferry_checks_add(scene->checks, "secret", FERRY_CHECK_PASS, NULL,
                         "The secret '%s' of %s is here", name, secret->user);
        break;
    case FERRY_PRESENCE_INACTIVE:
        ferry_checks_add(scene->checks, "secret", FERRY_CHECK_FAIL,
                         "Give it its value there: virsh secret-set-value",
                         "The secret '%s' of %s has no value on this host", name, secret->user);
        break;
    case FERRY_PRESENCE_ABSENT:
        ferry_checks_add(scene->checks, "secret", FERRY_CHECK_FAIL,
                         "Define it there with the same UUID and value: virsh secret-define, "
                         "secret-set-value",
                         "This host has no secret '%s', which %s needs", name, secret->user);
        break;
    case FERRY_PRESENCE_UNKNOWN:
        ferry_checks_add_error(scene->checks, "secret", error);
        break;
    }
}

void
ferry_check_devices(const FerryCheckScene *scene)
{
    for (guint i = 0; i < scene->needs->secrets->len; i++)
        check_secret(scene, g_ptr_array_index(scene->needs->secrets, i));
}
