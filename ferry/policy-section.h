/* policy-section.h: a policy of the operator's own, the section [policy NAME] of the configuration.
 * Pure, any thread. */
#pragma once

#include "ferry/transfer-policy.h"
#include "setting.h"

#define FERRY_POLICY_SECTION "policy"

/* The section as it is written. */
typedef struct {
    guint start_ms;
    char **steps; /* "ITERATION:MS"; NULL: none */
    FerryPolicyEnd at_end;
} FerryPolicySection;

/* The keys; offsets in FerryPolicySection. */
extern const FerrySetting ferry_policy_settings[];

/** Returns: (transfer none) (nullable): the name in "policy NAME", "" where it has none; NULL: the
 * section is no policy's. */
const char *ferry_policy_section_name(const char *section);

/** Returns: true when a policy may have that name: letters, digits, '-' and '_', at most 64, and
 * none of the built-in ones. */
bool ferry_policy_section_may_be_named(const char *name);

/** Returns: (transfer full): a section with its defaults. */
FerryPolicySection *ferry_policy_section_new(void);
void ferry_policy_section_free(FerryPolicySection *section);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryPolicySection, ferry_policy_section_free)

/**
 * ferry_policy_section_to_policy:
 * @max_pause_ms: the longest pause that any step may have
 * @ret_start: what is wrong with `start`; @ret_steps: with `steps`: they fall, or are longer than
 * @max_pause_ms. Both FERRY_ERROR_CONFIG: "key = 'found': expected ..."
 * Returns: (transfer full) (nullable): the policy, without its name, to be freed by g_free(); NULL
 * where something is wrong.
 */
FerryTransferPolicy *ferry_policy_section_to_policy(const FerryPolicySection *section,
                                                    guint max_pause_ms,
                                                    GError **ret_start,
                                                    GError **ret_steps) G_GNUC_WARN_UNUSED_RESULT;
