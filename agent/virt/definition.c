#include "config.h"

#include "virt/definition.h"

#include "virt/auto.h"
#include "virt/domain.h"
#include "virt/error.h"

#include <errno.h>
#include <glib/gstdio.h>

/* Behind the document, where libvirt reads nothing. */
#define AUTOSTART_MARK "\n<!-- virt-ferry: autostart -->\n"

static char *
path_of(const FerryAgent *agent, const char *migration_id)
{
    g_autofree char *name = g_strconcat(migration_id, ".xml", NULL);

    return g_build_filename(agent->config->state_path, "definitions", name, NULL);
}

static bool
write_file(const char *path, const char *xml, GError **error)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autoptr(GError) why = NULL;

    if (g_mkdir_with_parents(folder, 0700) == 0 &&
        g_file_set_contents_full(path, xml, -1,
                                 G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0600,
                                 &why))
        return true;
    ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                    "Free space in [DEFAULT] state_path, or give rights on it",
                    "The definition cannot be kept in '%s': %s", path,
                    why ? why->message : g_strerror(errno));
    return false;
}

bool
ferry_virt_definition_keep(const FerryAgent *agent,
                           virConnectPtr connection,
                           const char *migration_id,
                           const char *instance_uuid,
                           GError **error)
{
    g_autofree char *path = path_of(agent, migration_id);
    g_autoptr(virDomain) domain = virDomainLookupByUUIDString(connection, instance_uuid);
    char *raw = domain
                    ? virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_INACTIVE)
                    : NULL;

    if (!raw)
        return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                     "Cannot read the definition of '%s'", instance_uuid);

    g_autofree char *xml = raw;
    g_autofree char *kept =
        g_strconcat(xml, ferry_virt_domain_is_autostarted(domain) ? AUTOSTART_MARK : NULL, NULL);

    return write_file(path, kept, error);
}

static bool
restore_autostart(virDomainPtr domain, const char *kept, bool autostart, GError **error)
{
    if (!kept || !g_str_has_suffix(kept, AUTOSTART_MARK))
        return true;
    if (!autostart)
        g_message("The instance '%s' is not started at boot any more: it is defined elsewhere, too",
                  virDomainGetName(domain));
    return !autostart || ferry_virt_domain_set_autostart(domain, true, error);
}

bool
ferry_virt_definition_restore(const FerryAgent *agent,
                              virConnectPtr connection,
                              const char *migration_id,
                              const char *instance_uuid,
                              bool autostart,
                              GError **error)
{
    g_autofree char *path = path_of(agent, migration_id);
    g_autofree char *xml = NULL;
    g_autoptr(GError) why = NULL;
    g_autoptr(virDomain) there = virDomainLookupByUUIDString(connection, instance_uuid);

    if (there) {
        g_file_get_contents(path, &xml, NULL, NULL);
        return restore_autostart(there, xml, autostart, error);
    }
    if (!ferry_virt_error_is(VIR_ERR_NO_DOMAIN))
        return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                     "Cannot ask for the instance '%s'", instance_uuid);
    if (!g_file_get_contents(path, &xml, NULL, &why)) {
        ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR,
                        "The images have their names again; define the instance by hand",
                        "The definition that was kept cannot be read: %s", why->message);
        return false;
    }

    g_autoptr(virDomain) defined = virDomainDefineXML(connection, xml);

    if (!defined)
        return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                     "Cannot define the instance '%s' again", instance_uuid);
    return restore_autostart(defined, xml, autostart, error);
}

void
ferry_virt_definition_forget(const FerryAgent *agent, const char *migration_id)
{
    g_autofree char *path = path_of(agent, migration_id);

    if (g_unlink(path) != 0 && errno != ENOENT)
        g_warning("The definition '%s' is not removed: %s", path, g_strerror(errno));
}
