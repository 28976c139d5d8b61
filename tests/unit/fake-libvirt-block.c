/* Disks of a domain: their sizes, snapshots under them, block jobs on them. */
#include "config.h"

#include "fake-libvirt-private.h"

#include "xml/document.h"

#include <string.h>
#include <sys/stat.h>

/* What guests wrote: target to guint64; guarded by fake_lock. */
static GHashTable *written;

void
fake_block_jobs_reset(void)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    g_clear_pointer(&written, g_hash_table_unref);
    written = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

void
fake_disk_set_written(const char *target, guint64 bytes)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    g_hash_table_replace(written, g_strdup(target), g_memdup2(&bytes, sizeof bytes));
}

/* Under the lock. */
static void
set_job(FakeDomain *domain, const char *target, const FakeBlockJob *job)
{
    g_hash_table_replace(domain->block_jobs, g_strdup(target), g_memdup2(job, sizeof *job));
}

void
fake_block_job_set(const char *uuid, const char *target, int type, guint64 cur, guint64 end)
{
    FERRY_LOCK_SCOPE(&fake_lock);
    FakeDomain *domain = fake_domain_get(uuid);
    const FakeBlockJob *before = g_hash_table_lookup(domain->block_jobs, target);
    FakeBlockJob job = {type, cur, end, before ? g_strdup(before->base) : NULL};

    set_job(domain, target, &job);
}

int
virDomainGetBlockInfo(virDomainPtr handle,
                      const char *target,
                      virDomainBlockInfoPtr ret,
                      unsigned int flags)
{
    struct stat st = {0};

    if (!fake_begin(__func__, "%s %s", handle->name, target))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    const FakeDomain *domain = fake_domain_of(handle);
    g_autofree char *source = domain ? fake_domain_source(domain, target) : NULL;

    if (!source || stat(source, &st) != 0)
        return fake_refuse(VIR_ERR_INVALID_ARG, "no disk '%s'", target);
    ret->capacity = fake_image_capacity(source);
    ret->allocation = ret->physical = (unsigned long long)st.st_blocks * 512;
    return 0;
}

static void
set_written(virTypedParameterPtr param, guint64 bytes)
{
    *param = (virTypedParameter){.type = VIR_TYPED_PARAM_LLONG, .value = {.l = (long long)bytes}};
    g_strlcpy(param->field, VIR_DOMAIN_BLOCK_STATS_WRITE_BYTES, sizeof param->field);
}

/* As one of which nothing is known, unless the test said so. */
int
virDomainBlockStatsFlags(virDomainPtr handle,
                         const char *target,
                         virTypedParameterPtr params,
                         int *count,
                         unsigned int flags)
{
    if (!fake_begin(__func__, "%s %s", handle->name, target))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    const guint64 *bytes = g_hash_table_lookup(written, target);
    int room = *count;

    *count = 0;
    if (bytes && room > 0)
        set_written(&params[(*count)++], *bytes);
    return 0;
}

int
virDomainGetBlockJobInfo(virDomainPtr handle,
                         const char *target,
                         virDomainBlockJobInfoPtr ret,
                         unsigned int flags)
{
    if (!fake_begin(__func__, "%s %s", handle->name, target))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    const FakeDomain *domain = fake_domain_of(handle);
    const FakeBlockJob *job = domain ? g_hash_table_lookup(domain->block_jobs, target) : NULL;

    if (!domain)
        return -1;
    memset(ret, 0, sizeof *ret);
    if (!job || job->type == 0)
        return 0;
    ret->type = job->type;
    ret->cur = job->cur;
    ret->end = job->end;
    return 1;
}

/* It is done at once, and waits to be turned over. */
int
virDomainBlockCommit(virDomainPtr handle,
                     const char *target,
                     const char *base,
                     const char *top,
                     unsigned long bandwidth,
                     unsigned int flags)
{
    if (!fake_begin(__func__, "%s %s %s", handle->name, target, base))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    FakeDomain *domain = fake_domain_of(handle);
    FakeBlockJob job = {VIR_DOMAIN_BLOCK_JOB_TYPE_ACTIVE_COMMIT, 65536, 65536, g_strdup(base)};

    if (domain)
        set_job(domain, target, &job);
    else
        g_free(job.base);
    return domain ? 0 : -1;
}

int
virDomainBlockJobAbort(virDomainPtr handle, const char *target, unsigned int flags)
{
    if (!fake_begin(__func__, "%s %s %u", handle->name, target, flags))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);
    FakeDomain *domain = fake_domain_of(handle);
    const FakeBlockJob *job = domain ? g_hash_table_lookup(domain->block_jobs, target) : NULL;
    g_autofree char *top = domain ? fake_domain_source(domain, target) : NULL;

    if (!domain)
        return -1;
    if (!job)
        return fake_refuse(VIR_ERR_OPERATION_INVALID, "no block job on '%s'", target);
    if ((flags & VIR_DOMAIN_BLOCK_JOB_ABORT_PIVOT) && job->base)
        fake_domain_replace(domain, top, job->base);
    g_hash_table_remove(domain->block_jobs, target);
    return 0;
}

/* --- snapshots -------------------------------------------------------------------------------- */

struct _virDomainSnapshot {
    int nothing;
};

/* Under the lock: the disk writes to an overlay from now on. */
static void
put_overlay(FakeDomain *domain, const xmlNode *disk)
{
    g_autofree char *target = ferry_xml_attribute(disk, "name");
    g_autofree char *overlay = ferry_xml_attribute(ferry_xml_child(disk, "source"), "file");
    g_autofree char *source = target ? fake_domain_source(domain, target) : NULL;

    if (source && overlay)
        fake_domain_replace(domain, source, overlay);
}

virDomainSnapshotPtr
virDomainSnapshotCreateXML(virDomainPtr handle, const char *xml, unsigned int flags)
{
    if (!fake_begin(__func__, "%s %u", handle->name, flags))
        return NULL;

    FERRY_LOCK_SCOPE(&fake_lock);
    FakeDomain *domain = fake_domain_of(handle);
    g_autoptr(xmlDoc) document = ferry_xml_parse(xml, "domainsnapshot", 1 << 20, NULL);
    const xmlNode *disks =
        document ? ferry_xml_child(xmlDocGetRootElement(document), "disks") : NULL;

    if (!domain)
        return NULL;
    for (const xmlNode *disk = disks ? disks->children : NULL; disk; disk = disk->next)
        put_overlay(domain, disk);
    return g_new0(struct _virDomainSnapshot, 1);
}

int
virDomainSnapshotFree(virDomainSnapshotPtr snapshot)
{
    fake_forget_error();
    g_free(snapshot);
    return 0;
}
