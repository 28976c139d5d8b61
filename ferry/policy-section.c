#include "config.h"

#include "policy-section.h"

#include "ferry/error.h"

#include <string.h>

#define NAME_MAX_BYTES 64
#define ITERATION_MAX 1000
#define AT(field) offsetof(FerryPolicySection, field)

static const char *const ends[] = {"fail", "pause", "post-copy", "wait", NULL};

G_STATIC_ASSERT(FERRY_POLICY_FAIL == 0 && FERRY_POLICY_PAUSE == 1);
G_STATIC_ASSERT(FERRY_POLICY_POST_COPY == 2 && FERRY_POLICY_WAIT == 3);
G_STATIC_ASSERT(sizeof(FerryPolicyEnd) == sizeof(guint));

static bool
parse_step(const char *text, FerryPolicyStep *ret_step)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", /* max_tokens= */ 3);
    guint64 iteration = 0;
    guint64 downtime = 0;

    if (g_strv_length(parts) != 2 ||
        !g_ascii_string_to_unsigned(g_strstrip(parts[0]), 10, 1, ITERATION_MAX, &iteration, NULL) ||
        !g_ascii_string_to_unsigned(g_strstrip(parts[1]), 10, 1, FERRY_DOWNTIME_MAX_MS, &downtime,
                                    NULL))
        return false;
    *ret_step = (FerryPolicyStep){(guint)iteration, (guint)downtime};
    return true;
}

static bool
is_step(const char *text)
{
    FerryPolicyStep step = {0};

    return parse_step(text, &step);
}

const FerrySetting ferry_policy_settings[] = {
    {.name = "start",
     .kind = FERRY_SETTING_UINT,
     .offset = AT(start_ms),
     .min = 1,
     .max = FERRY_DOWNTIME_MAX_MS,
     .fallback = "100"},
    {.name = "steps",
     .kind = FERRY_SETTING_LIST,
     .offset = AT(steps),
     .check = is_step,
     .expected = "ITERATION:MS separated by commas, iterations from 1 to 1000 and pauses from 1 to "
                 "2000000"},
    {.name = "at_end",
     .kind = FERRY_SETTING_WORD,
     .offset = AT(at_end),
     .words = ends,
     .fallback = "fail"},
    {.name = NULL},
};

const char *
ferry_policy_section_name(const char *section)
{
    const size_t length = strlen(FERRY_POLICY_SECTION);

    if (!g_str_has_prefix(section, FERRY_POLICY_SECTION))
        return NULL;
    section += length;
    if (*section != '\0' && !g_ascii_isspace(*section))
        return NULL;
    while (g_ascii_isspace(*section))
        section++;
    return section;
}

bool
ferry_policy_section_may_be_named(const char *name)
{
    size_t length = strlen(name);

    if (length == 0 || length > NAME_MAX_BYTES || ferry_transfer_policy_find_built_in(name))
        return false;
    for (; *name != '\0'; name++)
        if (!g_ascii_isalnum(*name) && !strchr("-_", *name))
            return false;
    return true;
}

FerryPolicySection *
ferry_policy_section_new(void)
{
    FerryPolicySection *section = g_new0(FerryPolicySection, 1);

    ferry_setting_apply_defaults(ferry_policy_settings, section);
    return section;
}

void
ferry_policy_section_free(FerryPolicySection *section)
{
    if (!section)
        return;
    ferry_setting_clear_all(ferry_policy_settings, section);
    g_free(section);
}

static bool
refuse(const char *key, const char *found, const char *expected, GError **error)
{
    ferry_set_error(error, FERRY_ERROR_CONFIG, "see virt-ferryd.conf(5)", "%s = '%s': expected %s",
                    key, found, expected);
    return false;
}

/* @start_ms: below which no step may be. */
static bool
take_steps(const FerryPolicySection *section,
           guint start_ms,
           FerryTransferPolicy *policy,
           GError **error)
{
    FerryPolicyStep before = {0, start_ms};
    guint count = section->steps ? g_strv_length(section->steps) : 0;

    if (count > FERRY_POLICY_MAX_STEPS)
        return refuse("steps", section->steps[FERRY_POLICY_MAX_STEPS], "at most 16 steps", error);
    for (guint i = 0; i < count; i++) {
        FerryPolicyStep *step = &policy->steps[i];

        if (!parse_step(section->steps[i], step) || step->iteration <= before.iteration ||
            step->downtime_ms < before.downtime_ms)
            return refuse("steps", section->steps[i],
                          "iterations that rise, and pauses that do not fall, from start on",
                          error);
        before = *step;
    }
    return true;
}

static bool
check_longest(const FerryTransferPolicy *policy, guint max_pause_ms, GError **error)
{
    g_autofree char *expected =
        g_strdup_printf("at most max_pause of [migration], %u", max_pause_ms);

    for (guint i = 0; i < FERRY_POLICY_MAX_STEPS; i++) {
        guint longest = policy->steps[i].downtime_ms;
        g_autofree char *found =
            g_strdup_printf("%u:%u", policy->steps[i].iteration, policy->steps[i].downtime_ms);

        if (longest > max_pause_ms)
            return refuse("steps", found, expected, error);
    }
    return true;
}

FerryTransferPolicy *
ferry_policy_section_to_policy(const FerryPolicySection *section,
                               guint max_pause_ms,
                               GError **ret_start,
                               GError **ret_steps)
{
    g_autofree FerryTransferPolicy *policy = g_new0(FerryTransferPolicy, 1);
    g_autofree char *start = g_strdup_printf("%u", section->start_ms);
    g_autofree char *most = g_strdup_printf("at most max_pause of [migration], %u", max_pause_ms);

    policy->start_ms = section->start_ms;
    policy->at_end = section->at_end;
    bool starts = section->start_ms <= max_pause_ms || refuse("start", start, most, ret_start);
    /* A start that is wrong makes no step wrong. */
    bool steps = take_steps(section, starts ? section->start_ms : 0, policy, ret_steps) &&
                 check_longest(policy, max_pause_ms, ret_steps);
    return starts && steps ? g_steal_pointer(&policy) : NULL;
}
