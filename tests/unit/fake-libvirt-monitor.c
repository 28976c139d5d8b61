/* QEMU behind its monitor: it answers what the test says, and else with nothing in particular. */
#include "config.h"

#include "fake-libvirt-private.h"

#include <libvirt/libvirt-qemu.h>

#include <string.h>

typedef struct {
    char *part;
    char *answer;
} Answer;

static GPtrArray *answers;         /* guarded by fake_lock */
static GQueue next = G_QUEUE_INIT; /* guarded by fake_lock; char * */

static void
answer_free(gpointer data)
{
    Answer *answer = data;

    g_free(answer->part);
    g_free(answer->answer);
    g_free(answer);
}

void
fake_monitor_reset(void)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    g_queue_clear_full(&next, g_free);
    g_clear_pointer(&answers, g_ptr_array_unref);
    answers = g_ptr_array_new_with_free_func(answer_free);
}

void
fake_monitor_answer(const char *part, const char *answer)
{
    FERRY_LOCK_SCOPE(&fake_lock);
    Answer *row = g_new0(Answer, 1);

    *row = (Answer){g_strdup(part), g_strdup(answer)};
    g_ptr_array_add(answers, row);
}

void
fake_monitor_answer_next(const char *answer)
{
    FERRY_LOCK_SCOPE(&fake_lock);

    g_queue_push_tail(&next, g_strdup(answer));
}

int
virDomainQemuMonitorCommand(virDomainPtr handle, const char *order, char **ret, unsigned int flags)
{
    if (!fake_begin(__func__, "%s", order))
        return -1;

    FERRY_LOCK_SCOPE(&fake_lock);

    for (guint i = 0; i < answers->len; i++) {
        const Answer *row = g_ptr_array_index(answers, i);

        if (strstr(order, row->part)) {
            *ret = g_strdup(row->answer);
            return 0;
        }
    }
    *ret = g_queue_is_empty(&next) ? g_strdup("{\"return\":{}}") : g_queue_pop_head(&next);
    return 0;
}
