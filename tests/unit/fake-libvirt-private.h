/* fake-libvirt-private.h: what the files of the stand-in for libvirt share; nobody else's business.
 *
 * Each function of libvirt begins with fake_begin(), which takes note of the call and lets it fail
 * or wait; then it takes fake_lock and works on the world.
 */
#pragma once

#include "fake-libvirt.h"
#include "ferry/lock.h"

extern GMutex fake_lock;
extern GCond fake_changed; /* something happened that somebody may wait for */

/** Forgets the thread's error, notes the call and what it is about (printf), runs the test's hook
 * and waits where the test says so. Not under the lock. Returns: false when it has to fail; the
 * error is set then. */
bool fake_begin(const char *call, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** Sets the thread's last error. Returns: -1, for those that fail so. */
int fake_refuse(int code, const char *format, ...) G_GNUC_PRINTF(2, 3);

/** Forgets the thread's last error, as every public call does. */
void fake_forget_error(void);

/* --- domains ---------------------------------------------------------------------------------- */

struct _virDomain {
    gatomicrefcount count;
    char *name;
    char uuid[VIR_UUID_STRING_BUFLEN];
};

typedef struct {
    int type;
    guint64 cur;
    guint64 end;
    char *base; /* of a commit; or NULL */
} FakeBlockJob;

typedef struct {
    char *name;
    char *uuid;
    char *xml;
    char *inactive_xml; /* NULL: as the live one */
    int state;
    int reason;
    bool persistent;
    bool autostart;
    char *full_disk; /* the target of one that found no room; or NULL */
    int snapshots;
    bool managed_save;

    int job_type;
    bool held;
    int job_operation;
    GHashTable *counters; /* of the job; name to guint64 */
    bool has_downtime;    /* of the job that completed */
    guint64 downtime_ms;
    GHashTable *block_jobs; /* target to FakeBlockJob */
} FakeDomain;

/** Under the lock. Returns: (nullable). */
FakeDomain *fake_domain_find(const char *name_or_uuid);
/** Under the lock; fails the test when there is none. */
FakeDomain *fake_domain_get(const char *uuid);
/** Under the lock; sets libvirt's error when there is none. */
FakeDomain *fake_domain_of(virDomainPtr domain);
/** Under the lock. Returns: a new handle. */
virDomainPtr fake_domain_handle(const FakeDomain *domain);
/** Under the lock. It no longer runs: its definition stays, if it has one. */
void fake_domain_stop(FakeDomain *domain, int reason);
bool fake_domain_runs(const FakeDomain *domain);
/** Replaces a path by another in both documents. */
void fake_domain_replace(FakeDomain *domain, const char *from, const char *to);
/** Returns: (transfer full) (nullable): where the disk writes to. */
char *fake_domain_source(const FakeDomain *domain, const char *target);

/** Of an image or a raw file. Returns: 0 when it cannot be read. */
guint64 fake_image_capacity(const char *path);
bool fake_image_is_qcow2(const char *path);

/* --- storage ---------------------------------------------------------------------------------- */

struct _virStoragePool {
    gatomicrefcount count;
    char *name;
};

struct _virStorageVol {
    gatomicrefcount count;
    char *pool;
    char *name;
    char *path;
    char *key;
};

/* A volume as its pool knows it. */
typedef struct {
    char *name;
    char *path;
    char *key;
    guint64 capacity_bytes; /* of one that is no file */
} FakeVolume;

typedef struct {
    char *name;
    char *type;
    char *folder;
    bool transient;
    bool active;
    bool autostart;
    bool defined;
    guint64 extent_bytes;
    char *uuid;
    GPtrArray *volumes; /* FakeVolume */
} FakePool;

/** All under the lock. */
FakePool *fake_pool_find(const char *name);
FakePool *fake_pool_of(virStoragePoolPtr pool);
virStoragePoolPtr fake_pool_handle(const FakePool *pool);
void fake_pool_look(FakePool *pool);
bool fake_pool_is_logical(const FakePool *pool);
FakeVolume *fake_volume_find(const FakePool *pool, const char *name);
void fake_volume_free(gpointer volume);
FakeVolume *fake_pool_put_volume(FakePool *pool, const char *name);
/** Returns: (transfer none): FakePool. */
const GPtrArray *fake_pools(void);

/* --- a new world ------------------------------------------------------------------------------ */

void fake_connections_reset(void);
void fake_domains_reset(void);
void fake_jobs_reset(void);
void fake_block_jobs_reset(void);
void fake_monitor_reset(void);
void fake_pools_reset(void);
void fake_volumes_reset(void);
void fake_streams_reset(void);
void fake_host_reset(void);
void fake_params_reset(void);
