/* fake-libvirt.h: a stand-in for libvirt, in the test's own process: what a test asks of it.
 *
 * The files fake-libvirt*.c define those functions of libvirt that the agent uses, so that the
 * linker takes them in place of the library's, in each test that names one of the functions below,
 * and in no other. Behind them is one small world of domains, storage pools and volumes, which the
 * test sets up and looks at. It keeps libvirt's contract where the agent depends on it: each public
 * call forgets the thread's last error; handles stay valid when their object is gone; events come
 * on the thread that runs the event loop; pools know of files only what their last refresh showed.
 *
 * What it does not do: run a guest, move data between hosts (every URI leads to the same world, but
 * one that names a socket: nobody listens there), check XML, ask for permissions, or take time. It
 * shows what the agent makes of libvirt's answers, not that libvirt gives them: the laboratory
 * (tests/lab) proves that with the real one.
 *
 * Threads: any, one lock inside. Texts are copied. An object that a test names and that is not
 * there fails the test.
 */
#pragma once

#include <glib.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdbool.h>

/** A new world: an empty host without faults. Nobody may use the old one any more. */
void fake_libvirt_reset(void);

/* --- calls: seen, failing, hanging ------------------------------------------------------------ */

/** @call: the name of libvirt's function. The next call of it fails with this error. */
void fake_call_fail(const char *call, int code, const char *message);
/** So do the next @times. */
void fake_call_fail_times(const char *call, guint times, int code, const char *message);

/** Calls of it wait until they are released; what they do, they do afterwards. */
void fake_call_block(const char *call);
void fake_call_release(const char *call);

/** @func: runs in the caller's thread at the beginning of every such call; NULL: none any more. */
void fake_call_hook(const char *call, void (*func)(gpointer data), gpointer data);

/** Returns: how often it was called, those that failed among them. */
guint fake_call_count(const char *call);

/** Waits until it has been called @count times; fails the test after some seconds. */
void fake_call_await(const char *call, guint count);

/** Returns: (transfer full): the calls of the functions named, a line each in their order: the name
 * and what the call was about. @calls: NULL-terminated. */
char *fake_calls_list(const char *const *calls);

/* --- connections and events ------------------------------------------------------------------- */

/** Ends all connections, as a libvirtd that is stopped. */
void fake_connections_drop(void);

/** Events to those who asked for them, on the event loop's thread; none of a domain that has
 * gone. */
void fake_event_lifecycle(const char *uuid);
/** @event, @detail: libvirt's numbers. */
void fake_event_lifecycle_of(const char *uuid, int event, int detail);
void fake_event_job_completed(const char *uuid, guint64 downtime_ms);

/* --- domains ---------------------------------------------------------------------------------- */

/** @xml: says name and UUID. It is persistent, and runs. */
void fake_domain_add(const char *xml);
void fake_domain_remove(const char *uuid);
bool fake_domain_exists(const char *uuid);

/** @state, @reason: libvirt's numbers. */
void fake_domain_set_state(const char *uuid, int state, int reason);
int fake_domain_state(const char *uuid);
void fake_domain_set_persistent(const char *uuid, bool persistent);
bool fake_domain_is_persistent(const char *uuid);
void fake_domain_set_autostart(const char *uuid, bool autostart);
bool fake_domain_is_autostarted(const char *uuid);
/** @target: of a disk that found no room; NULL: none. */
void fake_domain_set_full_disk(const char *uuid, const char *target);
/** What is printed with VIR_DOMAIN_XML_INACTIVE; before, it is as the live one. */
void fake_domain_set_inactive_xml(const char *uuid, const char *xml);
/** Returns: (transfer full): the live one. */
char *fake_domain_xml(const char *uuid);
/** What else may stand in the way. */
void fake_domain_set_snapshots(const char *uuid, int count);
void fake_domain_set_managed_save(const char *uuid, bool saved);

/* --- jobs ------------------------------------------------------------------------------------- */

/** @type, @operation: libvirt's numbers; type VIR_DOMAIN_JOB_NONE: no job runs. */
void fake_job_set(const char *uuid, int type, int operation);
/** Somebody's call has it, as virDomainGetControlInfo() tells. */
void fake_domain_set_held(const char *uuid, bool held);
/** A counter of the running job. @name: VIR_DOMAIN_JOB_MEMORY_TOTAL ... */
void fake_job_set_counter(const char *uuid, const char *name, guint64 value);
/** What VIR_DOMAIN_JOB_STATS_COMPLETED shows. */
void fake_job_set_completed_downtime(const char *uuid, guint64 downtime_ms);
/** What the guest has written to a disk; before, libvirt does not say. */
void fake_disk_set_written(const char *target, guint64 bytes);
/** A block job of @target; type 0: none. */
void fake_block_job_set(const char *uuid, const char *target, int type, guint64 cur, guint64 end);

/** From now on a migration goes on until fake_migration_end(), or until its job is aborted. Without
 * this it succeeds at once. */
void fake_migration_hold(void);
/** @code: VIR_ERR_OK: it succeeds. */
void fake_migration_end(int code, const char *message);
/** Returns: of the last migration call. */
unsigned int fake_migration_flags(void);
/** Returns: (transfer full) (nullable): of the last migration call: its parameter, or several of
 * one name with blanks between them. */
char *fake_migration_param(const char *name);

/** @part: of a monitor command. QEMU's answer to the commands in which it stands; of several the
 * first one that fits. */
void fake_monitor_answer(const char *part, const char *answer);
/** @answer: to the next command that has no answer of its own. */
void fake_monitor_answer_next(const char *answer);

/* --- storage ---------------------------------------------------------------------------------- */

/** A pool of files in @folder, which need not exist; active and autostarted. */
void fake_pool_add(const char *name, const char *folder);
/** A pool of another type, "logical" say. */
void fake_pool_add_typed(const char *name, const char *type, const char *folder);
void fake_pool_set_active(const char *name, bool active);
bool fake_pool_exists(const char *name);
bool fake_pool_is_active(const char *name);
bool fake_pool_is_autostarted(const char *name);

/** A volume that is no file, of a pool of the type "logical". */
void fake_volume_add(const char *pool, const char *name, const char *key, guint64 capacity_bytes);
/** From now on such a pool makes volumes in multiples of it. */
void fake_pool_set_extent(const char *name, guint64 extent_bytes);
bool fake_volume_exists(const char *pool, const char *name);
/** Returns: (transfer full) (nullable): the XML of the last volume that was made. */
char *fake_volume_last_xml(void);

/** Writes an empty qcow2 image of this virtual size; what libvirt would make. */
void fake_image_write_qcow2(const char *path, guint64 capacity_bytes);

/* --- the host --------------------------------------------------------------------------------- */

void fake_host_set_free_memory(guint64 bytes);
/** @result: VIR_CPU_COMPARE_IDENTICAL ... of any CPU. */
void fake_host_set_cpu_match(int result);
/** @path: the emulator that libvirt chooses by itself. */
void fake_host_set_emulator(const char *path);
void fake_network_add(const char *name, bool active);
void fake_secret_add(const char *uuid, bool has_value);
