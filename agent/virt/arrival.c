#include "config.h"

#include "virt/arrival.h"

#include "ferry/error.h"
#include "virt/auto.h"
#include "virt/error.h"
#include "xml/arrival-mark.h"

#include <libvirt/virterror.h>
#include <string.h>

char *
ferry_virt_arrival_document(virDomainPtr domain, const char *migration_id, GError **error)
{
    const char *name = virDomainGetName(domain);
    char *raw = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_INACTIVE |
                                                VIR_DOMAIN_XML_MIGRATABLE);

    if (!raw) {
        ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                              "Cannot read the definition of '%s' with its secrets", name);
        return NULL;
    }

    g_autofree char *xml = raw;

    return ferry_arrival_mark_add(xml, migration_id, error);
}

bool
ferry_virt_arrival_look(virConnectPtr connection,
                        const char *uuid,
                        const char *migration_id,
                        FerryArrivalMark *ret_mark,
                        GError **error)
{
    g_autoptr(virDomain) domain = virDomainLookupByUUIDString(connection, uuid);

    *ret_mark = FERRY_ARRIVAL_UNMARKED;
    if (!domain && ferry_virt_error_is(VIR_ERR_NO_DOMAIN))
        return true;

    char *raw = domain ? virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE) : NULL;

    if (!raw)
        return ferry_error_from_virt(error, FERRY_ERROR_MIGRATION_ERROR,
                                     "Cannot read the definition of '%s'", uuid);

    g_autofree char *xml = raw;
    g_autofree char *marked = ferry_arrival_mark_find(xml);

    if (marked)
        *ret_mark = strcmp(marked, migration_id) == 0 ? FERRY_ARRIVAL_OURS : FERRY_ARRIVAL_OTHERS;
    return true;
}

/* libvirt takes out of the metadata what it is told to, and leaves them empty. */
static void
clean(virConnectPtr connection, virDomainPtr domain)
{
    char *raw = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_SECURE | VIR_DOMAIN_XML_INACTIVE);
    g_autofree char *xml = raw;
    g_autofree char *cleaned = raw ? ferry_arrival_mark_clean(xml) : NULL;
    g_autoptr(virDomain) defined = cleaned ? virDomainDefineXML(connection, cleaned) : NULL;

    if (cleaned && !defined)
        g_message("Empty metadata stay in the definition of '%s': %s", virDomainGetName(domain),
                  virGetLastErrorMessage());
}

void
ferry_virt_arrival_settle(virConnectPtr connection, const char *uuid)
{
    g_autoptr(virDomain) domain = virDomainLookupByUUIDString(connection, uuid);
    unsigned int live = domain && virDomainIsActive(domain) == 1 ? VIR_DOMAIN_AFFECT_LIVE
                                                                 : VIR_DOMAIN_AFFECT_CURRENT;

    if (!domain)
        return;
    if (virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, NULL, NULL,
                             FERRY_ARRIVAL_NAMESPACE, VIR_DOMAIN_AFFECT_CONFIG | live) < 0) {
        g_message("The mark of its arrival stays in the definition of '%s': %s", uuid,
                  virGetLastErrorMessage());
        return;
    }
    clean(connection, domain);
}
