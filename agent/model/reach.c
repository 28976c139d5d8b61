#include "config.h"

#include "model/reach.h"

bool
ferry_reach_answered(FerryReach reach)
{
    return reach == FERRY_REACH_OPEN || reach == FERRY_REACH_CLOSED;
}

const char *
ferry_reach_word(FerryReach reach)
{
    static const char *const words[] = {
        [FERRY_REACH_SILENT] = "no answer",
        [FERRY_REACH_OPEN] = "open",
        [FERRY_REACH_OTHER] = "another program answers",
        [FERRY_REACH_CLOSED] = "closed",
        [FERRY_REACH_NO_ROUTE] = "no way there",
        [FERRY_REACH_NO_NAME] = "the name is not known",
    };

    g_return_val_if_fail((guint)reach < G_N_ELEMENTS(words), "?");
    return words[reach];
}
