/* Domains: found, described, started, ended. */
#include "config.h"

#include "fake-libvirt-private.h"

#include "xml/domain.h"

#include <stdlib.h>
#include <string.h>

static GPtrArray *domains; /* guarded by fake_lock; FakeDomain */

static void
block_job_free(gpointer data)
{
    FakeBlockJob *job = data;

    g_free(job->base);
    g_free(job);
}

static void
domain_free(gpointer data)
{
    FakeDomain *domain = data;

    g_free(domain->name);
    g_free(domain->uuid);
    g_free(domain->xml);
    g_free(domain->inactive_xml);
    g_free(domain->full_disk);
    g_hash_table_unref(domain->counters);
    g_hash_table_unref(domain->block_jobs);
    g_free(domain);
}

void
fake_domains_reset(void)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    g_clear_pointer(&domains, g_ptr_array_unref);
    domains = g_ptr_array_new_with_free_func(domain_free);
}

/* --- the world -------------------------------------------------------------------------------- */

FakeDomain *
fake_domain_find(const char *name_or_uuid)
{
    for (guint i = 0; i < domains->len; i++) {
        FakeDomain *domain = g_ptr_array_index(domains, i);

        if (strcmp(domain->name, name_or_uuid) == 0 || strcmp(domain->uuid, name_or_uuid) == 0)
            return domain;
    }
    return NULL;
}

FakeDomain *
fake_domain_get(const char *uuid)
{
    FakeDomain *domain = fake_domain_find(uuid);

    if (!domain)
        g_error("The test named the domain '%s', which is not there", uuid);
    return domain;
}

FakeDomain *
fake_domain_of(virDomainPtr handle)
{
    FakeDomain *domain = fake_domain_find(handle->uuid);

    if (!domain)
        fake_refuse(VIR_ERR_NO_DOMAIN, "Domain not found: '%s'", handle->name);
    return domain;
}

virDomainPtr
fake_domain_handle(const FakeDomain *domain)
{
    virDomainPtr handle = g_new0(struct _virDomain, 1);

    g_atomic_ref_count_init(&handle->count);
    handle->name = g_strdup(domain->name);
    g_strlcpy(handle->uuid, domain->uuid, sizeof handle->uuid);
    return handle;
}

bool
fake_domain_runs(const FakeDomain *domain)
{
    return domain->state != VIR_DOMAIN_SHUTOFF && domain->state != VIR_DOMAIN_CRASHED;
}

void
fake_domain_stop(FakeDomain *domain, int reason)
{
    domain->job_type = VIR_DOMAIN_JOB_NONE;
    if (!domain->persistent) {
        g_ptr_array_remove(domains, domain);
        return;
    }
    domain->state = VIR_DOMAIN_SHUTOFF;
    domain->reason = reason;
}

static FakeDomain *
add_domain(const char *xml, int state)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(FerryInstance) instance = ferry_domxml_parse(xml, &error);
    FakeDomain *domain = g_new0(FakeDomain, 1);

    g_assert_no_error(error);
    domain->name = g_strdup(instance->name);
    domain->uuid = g_strdup(instance->uuid);
    domain->xml = g_strdup(xml);
    domain->state = state;
    domain->persistent = true;
    domain->counters = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    domain->block_jobs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, block_job_free);
    g_ptr_array_add(domains, domain);
    return domain;
}

static void
replace_in(char **xml, const char *from, const char *to)
{
    if (!*xml)
        return;

    g_autofree char *quoted_from = g_strdup_printf("'%s'", from);
    g_autofree char *quoted_to = g_strdup_printf("'%s'", to);
    g_auto(GStrv) parts = g_strsplit(*xml, quoted_from, -1);

    g_free(*xml);
    *xml = g_strjoinv(quoted_to, parts);
}

void
fake_domain_replace(FakeDomain *domain, const char *from, const char *to)
{
    replace_in(&domain->xml, from, to);
    replace_in(&domain->inactive_xml, from, to);
}

char *
fake_domain_source(const FakeDomain *domain, const char *target)
{
    g_autoptr(FerryInstance) instance = ferry_domxml_parse(domain->xml, NULL);
    const FerryDisk *disk = instance ? ferry_instance_find_disk(instance, target) : NULL;

    return disk ? g_strdup(disk->source) : NULL;
}

/* --- the test's side -------------------------------------------------------------------------- */

void
fake_domain_add(const char *xml)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    add_domain(xml, VIR_DOMAIN_RUNNING)->reason = VIR_DOMAIN_RUNNING_BOOTED;
}

void
fake_domain_remove(const char *uuid)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    g_ptr_array_remove(domains, fake_domain_get(uuid));
}

bool
fake_domain_exists(const char *uuid)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    return fake_domain_find(uuid) != NULL;
}

void
fake_domain_set_state(const char *uuid, int state, int reason)
{
    FERRY_LOCK_SCOPE(&fake_lock);
    FakeDomain *domain = fake_domain_get(uuid);

    domain->state = state;
    domain->reason = reason;
}

int
fake_domain_state(const char *uuid)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    return fake_domain_get(uuid)->state;
}

void
fake_domain_set_persistent(const char *uuid, bool persistent)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    fake_domain_get(uuid)->persistent = persistent;
}

bool
fake_domain_is_persistent(const char *uuid)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    return fake_domain_get(uuid)->persistent;
}

void
fake_domain_set_autostart(const char *uuid, bool autostart)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    fake_domain_get(uuid)->autostart = autostart;
}

bool
fake_domain_is_autostarted(const char *uuid)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    return fake_domain_get(uuid)->autostart;
}

void
fake_domain_set_full_disk(const char *uuid, const char *target)
{
    FERRY_LOCK_SCOPE(&fake_lock);
    FakeDomain *domain = fake_domain_get(uuid);

    g_free(domain->full_disk);
    domain->full_disk = g_strdup(target);
}

void
fake_domain_set_inactive_xml(const char *uuid, const char *xml)
{
    FERRY_LOCK_SCOPE(&fake_lock);
    FakeDomain *domain = fake_domain_get(uuid);

    g_free(domain->inactive_xml);
    domain->inactive_xml = g_strdup(xml);
}

char *
fake_domain_xml(const char *uuid)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    return g_strdup(fake_domain_get(uuid)->xml);
}

void
fake_domain_set_snapshots(const char *uuid, int count)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    fake_domain_get(uuid)->snapshots = count;
}

void
fake_domain_set_managed_save(const char *uuid, bool saved)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    fake_domain_get(uuid)->managed_save = saved;
}

/* --- handles ---------------------------------------------------------------------------------- */

static virDomainPtr
look_up(const char *name_or_uuid)
{
    FERRY_LOCK_SCOPE(&fake_lock);
    const FakeDomain *domain = fake_domain_find(name_or_uuid);

    if (domain)
        return fake_domain_handle(domain);
    fake_refuse(VIR_ERR_NO_DOMAIN, "Domain not found: '%s'", name_or_uuid);
    return NULL;
}

virDomainPtr
virDomainLookupByName(virConnectPtr connection, const char *name)
{
    return fake_begin(__func__, "%s", name) ? look_up(name) : NULL;
}

virDomainPtr
virDomainLookupByUUIDString(virConnectPtr connection, const char *uuid)
{
    return fake_begin(__func__, "%s", uuid) ? look_up(uuid) : NULL;
}

int
virDomainFree(virDomainPtr handle)
{
    fake_forget_error();
    if (!g_atomic_ref_count_dec(&handle->count))
        return 0;
    g_free(handle->name);
    g_free(handle);
    return 0;
}

int
virConnectListAllDomains(virConnectPtr connection, virDomainPtr **ret, unsigned int flags)
{
    if (!fake_begin(__func__, "%u", flags))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    int count = 0;

    *ret = g_new0(virDomainPtr, domains->len + 1);
    for (guint i = 0; i < domains->len; i++) {
        const FakeDomain *domain = g_ptr_array_index(domains, i);

        if (flags != VIR_CONNECT_LIST_DOMAINS_ACTIVE || fake_domain_runs(domain))
            (*ret)[count++] = fake_domain_handle(domain);
    }
    return count;
}

/* There is one world, whatever the connection. */
virConnectPtr
virDomainGetConnect(virDomainPtr handle)
{
    return NULL;
}

const char *
virDomainGetName(virDomainPtr handle)
{
    fake_forget_error();
    return handle->name;
}

int
virDomainGetUUIDString(virDomainPtr handle, char *ret)
{
    fake_forget_error();
    memcpy(ret, handle->uuid, VIR_UUID_STRING_BUFLEN);
    return 0;
}

unsigned int
virDomainGetID(virDomainPtr handle)
{
    fake_forget_error();

    FERRY_LOCK_SCOPE(&fake_lock);
    const FakeDomain *domain = fake_domain_of(handle);

    return domain && fake_domain_runs(domain) ? 1 : (unsigned int)-1;
}

/* --- looking ---------------------------------------------------------------------------------- */

int
virDomainGetState(virDomainPtr handle, int *ret_state, int *ret_reason, unsigned int flags)
{
    if (!fake_begin(__func__, "%s", handle->name))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    const FakeDomain *domain = fake_domain_of(handle);

    if (!domain)
        return -1;
    *ret_state = domain->state;
    if (ret_reason)
        *ret_reason = domain->reason;
    return 0;
}

int
virDomainIsActive(virDomainPtr handle)
{
    fake_forget_error();

    FERRY_LOCK_SCOPE(&fake_lock);
    const FakeDomain *domain = fake_domain_of(handle);

    return domain ? fake_domain_runs(domain) : -1;
}

int
virDomainIsPersistent(virDomainPtr handle)
{
    if (!fake_begin(__func__, "%s", handle->name))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    const FakeDomain *domain = fake_domain_of(handle);

    return domain ? domain->persistent : -1;
}

char *
virDomainGetXMLDesc(virDomainPtr handle, unsigned int flags)
{
    if (!fake_begin(__func__, "%s %u", handle->name, flags))
        return NULL;

    FERRY_LOCK_SCOPE(&fake_lock);
    const FakeDomain *domain = fake_domain_of(handle);

    if (!domain)
        return NULL;
    return g_strdup((flags & VIR_DOMAIN_XML_INACTIVE) && domain->inactive_xml ? domain->inactive_xml
                                                                              : domain->xml);
}

int
virDomainSnapshotNum(virDomainPtr handle, unsigned int flags)
{
    if (!fake_begin(__func__, "%s", handle->name))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    const FakeDomain *domain = fake_domain_of(handle);

    return domain ? domain->snapshots : -1;
}

int
virDomainListAllCheckpoints(virDomainPtr handle,
                            virDomainCheckpointPtr **checkpoints,
                            unsigned int flags)
{
    return fake_begin(__func__, "%s", handle->name) ? 0 : -1;
}

int
virDomainHasManagedSaveImage(virDomainPtr handle, unsigned int flags)
{
    if (!fake_begin(__func__, "%s", handle->name))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    const FakeDomain *domain = fake_domain_of(handle);

    return domain ? domain->managed_save : -1;
}

/* --- changing --------------------------------------------------------------------------------- */

virDomainPtr
virDomainDefineXML(virConnectPtr connection, const char *xml)
{
    g_autoptr(FerryInstance) instance = ferry_domxml_parse(xml, NULL);

    g_assert_nonnull(instance);
    if (!fake_begin(__func__, "%s", instance->name))
        return NULL;

    FERRY_LOCK_SCOPE(&fake_lock);
    FakeDomain *domain = fake_domain_find(instance->uuid);

    if (!domain)
        domain = add_domain(xml, VIR_DOMAIN_SHUTOFF);
    domain->persistent = true;
    g_free(domain->inactive_xml);
    domain->inactive_xml = g_strdup(xml);
    return fake_domain_handle(domain);
}

int
virDomainSetMetadata(virDomainPtr handle,
                     int type,
                     const char *metadata,
                     const char *key,
                     const char *uri,
                     unsigned int flags)
{
    return fake_begin(__func__, "%s %s", handle->name, uri) ? 0 : -1;
}

int
virDomainUndefineFlags(virDomainPtr handle, unsigned int flags)
{
    if (!fake_begin(__func__, "%s %u", handle->name, flags))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    FakeDomain *domain = fake_domain_of(handle);

    if (!domain)
        return -1;
    domain->persistent = false;
    if (!fake_domain_runs(domain))
        g_ptr_array_remove(domains, domain);
    return 0;
}

int
virDomainDestroyFlags(virDomainPtr handle, unsigned int flags)
{
    if (!fake_begin(__func__, "%s", handle->name))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    FakeDomain *domain = fake_domain_of(handle);

    if (!domain)
        return -1;
    if (!fake_domain_runs(domain))
        return fake_refuse(VIR_ERR_OPERATION_INVALID, "domain is not running");
    fake_domain_stop(domain, VIR_DOMAIN_SHUTOFF_DESTROYED);
    return 0;
}

static int
set_state(virDomainPtr handle, int state, int reason)
{
    FERRY_LOCK_SCOPE(&fake_lock);
    FakeDomain *domain = fake_domain_of(handle);

    if (!domain)
        return -1;
    domain->state = state;
    domain->reason = reason;
    return 0;
}

int
virDomainResume(virDomainPtr handle)
{
    return fake_begin(__func__, "%s", handle->name)
               ? set_state(handle, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_UNPAUSED)
               : -1;
}

int
virDomainGetDiskErrors(virDomainPtr handle,
                       virDomainDiskErrorPtr errors,
                       unsigned int maxerrors,
                       unsigned int flags)
{
    if (!fake_begin(__func__, "%s", handle->name))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    const FakeDomain *domain = fake_domain_of(handle);

    if (!domain)
        return -1;
    if (!domain->full_disk)
        return 0;
    g_assert_cmpuint(maxerrors, >, 0);
    errors[0] = (virDomainDiskError){strdup(domain->full_disk), VIR_DOMAIN_DISK_ERROR_NO_SPACE};
    return 1;
}

int
virDomainGetAutostart(virDomainPtr handle, int *ret_autostart)
{
    if (!fake_begin(__func__, "%s", handle->name))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    const FakeDomain *domain = fake_domain_of(handle);

    if (!domain)
        return -1;
    *ret_autostart = domain->autostart;
    return 0;
}

int
virDomainSetAutostart(virDomainPtr handle, int autostart)
{
    if (!fake_begin(__func__, "%s %d", handle->name, autostart))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    FakeDomain *domain = fake_domain_of(handle);

    if (!domain)
        return -1;
    if (!domain->persistent)
        return fake_refuse(VIR_ERR_OPERATION_INVALID, "cannot set autostart for transient domain");
    domain->autostart = autostart != 0;
    return 0;
}

int
virDomainSuspend(virDomainPtr handle)
{
    return fake_begin(__func__, "%s", handle->name)
               ? set_state(handle, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER)
               : -1;
}

int
virDomainCreateWithFlags(virDomainPtr handle, unsigned int flags)
{
    if (!fake_begin(__func__, "%s %u", handle->name, flags))
        return -1;
    return flags & VIR_DOMAIN_START_PAUSED
               ? set_state(handle, VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_STARTING_UP)
               : set_state(handle, VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED);
}

int
virDomainFSTrim(virDomainPtr handle,
                const char *mount_point,
                unsigned long long minimum,
                unsigned int flags)
{
    return fake_begin(__func__, "%s", handle->name) ? 0 : -1;
}

int
virDomainAgentSetResponseTimeout(virDomainPtr handle, int timeout, unsigned int flags)
{
    return fake_begin(__func__, "%s %d", handle->name, timeout) ? 0 : -1;
}
