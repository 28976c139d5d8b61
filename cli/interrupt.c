#include "config.h"

#include "interrupt.h"

#include "terminal.h"

#include <glib-unix.h>

#include <signal.h>
#include <string.h>
#include <unistd.h>

#define QUESTION "[a]bort the migration, [d]etach and let it go on, or [c]ontinue watching? "

struct FerryInterrupt {
    bool can_ask;
    FerryInterruptFunc func;
    gpointer user_data;
    guint sigint;
    guint sigterm;
    guint sighup;
    guint input; /* the watch on standard input; 0: no question is asked */
};

bool
ferry_interrupt_understand(const char *answer, FerryInterruptEvent *ret_event)
{
    static const struct {
        const char *word;
        FerryInterruptEvent event;
    } words[] = {
        {"abort", FERRY_INTERRUPT_ABORT},
        {"detach", FERRY_INTERRUPT_DETACH},
        {"continue", FERRY_INTERRUPT_CONTINUE},
    };
    g_autofree char *text = g_strstrip(g_ascii_strdown(answer, /* len= */ -1));
    size_t length = strlen(text);

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        bool letter = length == 1 && text[0] == words[i].word[0];

        if (letter || strcmp(text, words[i].word) == 0) {
            *ret_event = words[i].event;
            return true;
        }
    }
    return false;
}

static void
end_question(FerryInterrupt *self)
{
    g_clear_handle_id(&self->input, g_source_remove);
}

/* A terminal gives whole lines. Its end (Ctrl-D) counts as detach. */
static gboolean
on_answer(int fd, GIOCondition condition, gpointer user_data)
{
    FerryInterrupt *self = user_data;
    FerryInterruptEvent event = FERRY_INTERRUPT_DETACH;
    char text[80];
    ssize_t got = read(fd, text, sizeof text - 1);

    text[MAX(got, 0)] = '\0';
    if (got > 0 && !ferry_interrupt_understand(text, &event)) {
        g_printerr("%s", QUESTION);
        return G_SOURCE_CONTINUE;
    }
    self->input = 0;
    self->func(event, self->user_data);
    return G_SOURCE_REMOVE;
}

static gboolean
on_interrupt(gpointer user_data)
{
    FerryInterrupt *self = user_data;

    if (!self->can_ask) {
        self->func(FERRY_INTERRUPT_LEAVE, self->user_data);
    } else if (self->input != 0) {
        end_question(self);
        g_printerr("\n");
        self->func(FERRY_INTERRUPT_DETACH, self->user_data);
    } else {
        self->func(FERRY_INTERRUPT_ASKING, self->user_data);
        g_printerr("\n%s", QUESTION);
        self->input = g_unix_fd_add(STDIN_FILENO, G_IO_IN | G_IO_HUP, on_answer, self);
    }
    return G_SOURCE_CONTINUE;
}

static gboolean
on_end(gpointer user_data)
{
    FerryInterrupt *self = user_data;

    end_question(self);
    self->func(FERRY_INTERRUPT_LEAVE, self->user_data);
    return G_SOURCE_CONTINUE;
}

FerryInterrupt *
ferry_interrupt_new(bool may_ask, FerryInterruptFunc func, gpointer user_data)
{
    FerryInterrupt *self = g_new0(FerryInterrupt, 1);

    self->can_ask = may_ask && ferry_terminal_can_ask();
    self->func = func;
    self->user_data = user_data;
    self->sigint = g_unix_signal_add(SIGINT, on_interrupt, self);
    self->sigterm = g_unix_signal_add(SIGTERM, on_end, self);
    self->sighup = g_unix_signal_add(SIGHUP, on_end, self);
    return self;
}

void
ferry_interrupt_free(FerryInterrupt *self)
{
    if (!self)
        return;
    end_question(self);
    g_source_remove(self->sigint);
    g_source_remove(self->sigterm);
    g_source_remove(self->sighup);
    g_free(self);
}
