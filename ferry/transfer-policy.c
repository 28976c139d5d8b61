#include "config.h"

#include "ferry/transfer-policy.h"

/* The short steps are oVirt's: who converges pauses shortly, only who does not pauses longer. */
static const FerryTransferPolicy built_in[] = {
    {.name = "minimal-downtime",
     .start_ms = 100,
     .steps = {{1, 150}, {2, 200}, {3, 300}, {4, 400}, {6, 500}},
     .at_end = FERRY_POLICY_FAIL},
    {.name = "suspend-if-needed",
     .start_ms = 100,
     .steps = {{1, 150}, {2, 200}, {3, 300}, {4, 400}, {6, 500}},
     .at_end = FERRY_POLICY_PAUSE},
    {.name = "post-copy",
     .start_ms = 100,
     .steps = {{1, 150}, {2, 200}},
     .at_end = FERRY_POLICY_POST_COPY},
    {.name = "very-large",
     .start_ms = 300,
     .steps = {{1, 400}, {2, 500}, {3, 700}, {4, 1000}, {6, 1500}},
     .at_end = FERRY_POLICY_PAUSE},
    {.name = "fixed", .start_ms = FERRY_POLICY_WHOLE, .at_end = FERRY_POLICY_FAIL},
    {.name = "nova", .start_ms = FERRY_POLICY_WHOLE, .at_end = FERRY_POLICY_WAIT, .by_clock = true},
};

const FerryTransferPolicy *
ferry_transfer_policy_built_in(guint index)
{
    return index < G_N_ELEMENTS(built_in) ? &built_in[index] : NULL;
}

const FerryTransferPolicy *
ferry_transfer_policy_find_built_in(const char *name)
{
    for (guint i = 0; i < G_N_ELEMENTS(built_in); i++)
        if (g_strcmp0(built_in[i].name, name) == 0)
            return &built_in[i];
    return NULL;
}
