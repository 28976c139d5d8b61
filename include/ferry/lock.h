/* lock.h: a mutex that is held until the end of a scope.
 *
 *     static guint
 *     count(FerryThing *self)
 *     {
 *         FERRY_LOCK_SCOPE(&self->lock);
 *
 *         return g_queue_get_length(&self->items);
 *     }
 *
 * For a critical section that ends with its scope, however the scope is left. A GCond may be waited
 * for inside. Where the lock ends before the scope, g_mutex_lock() and g_mutex_unlock() say it
 * better. Threads: any.
 */
#pragma once

#include <glib.h>

/**
 * FERRY_LOCK_SCOPE:
 * @mutex: a GMutex *, evaluated once; it must outlive the scope
 * Locks @mutex here and unlocks it where the scope ends: at its brace, or by return, break or
 * continue. A declaration: it stands where one may stand, not as the body of an `if`. Scopes may
 * be nested, and one scope may hold several mutexes; they are unlocked in reverse order. The value
 * of a `return` is computed before the mutex is unlocked.
 */
#define FERRY_LOCK_SCOPE(mutex)                                                                    \
    g_autoptr(GMutexLocker) G_PASTE(ferry_locker_, __COUNTER__) G_GNUC_UNUSED =                    \
        g_mutex_locker_new(mutex)
