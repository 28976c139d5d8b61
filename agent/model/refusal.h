/* refusal.h: what to do about libvirt's sentence when it refuses or gives up a migration for a
 * reason that no check has named. Pure, any thread. */
#pragma once

/** @sentence: with libvirt's words in it, and QEMU's as a rule.
 * Returns: (transfer none) (nullable): a hint; NULL for a sentence that we do not know. */
const char *ferry_refusal_hint(const char *sentence);
