/* post-copy.h: a post-copy that broke off, taken up again.
 *
 * Once the guest runs on the destination with a part of its memory still on the source, neither
 * side can go on alone: when the connection between the two QEMUs dies, both stand still and keep
 * what they have. libvirt (since 8.5) connects them anew and lets the rest of the memory follow.
 *
 * Threads: any but main; blocks for as long as the rest takes.
 */
#pragma once

#include <stdbool.h>

#include "source/confirmation.h"

/** Both sides know that it broke. While one does not, its connection may still live: libvirt loses
 * observed of a post-copy that its QEMUs bring to an end. */
bool ferry_post_copy_can_be_resumed(const FerryConfirmation *seen);

/**
 * ferry_post_copy_resume:
 * Tries once; what came of it both hosts have to tell. Where it cannot be done the log says why.
 * Nothing is tried where it is known to end the destination's libvirt: by its version, or because
 * it did so twice.
 * @error: FERRY_ERROR_OUTCOME_UNKNOWN, FERRY_ERROR_MIGRATION_ERROR: it is one of these
 * Returns: false when another try is vain.
 */
bool ferry_post_copy_resume(FerryMigration *migration, GError **error) G_GNUC_WARN_UNUSED_RESULT;
