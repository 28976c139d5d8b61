#include "config.h"

#include "runtime/log.h"

#include "ferry/clock.h"
#include "ferry/error.h"
#include "ferry/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MIGRATION_FIELD "VIRT_FERRY_MIGRATION"
#define UUID_LENGTH 36

static FILE *stream;     /* set once, before threads */
static bool to_journald; /* set once, before threads */
static bool show_debug;  /* set once, before threads */

static const char *
field(const GLogField *fields, gsize count, const char *key)
{
    for (gsize i = 0; i < count; i++)
        if (g_strcmp0(fields[i].key, key) == 0)
            return fields[i].value;
    return NULL;
}

/* @priority: (nullable): the syslog's number, which a line may have beside its level. */
static const char *
level_name(GLogLevelFlags level, const char *priority)
{
    if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL) || g_strcmp0(priority, "3") == 0)
        return "ERROR";
    if (level & G_LOG_LEVEL_WARNING || g_strcmp0(priority, "4") == 0)
        return "WARNING";
    return level & G_LOG_LEVEL_DEBUG ? "DEBUG" : "INFO";
}

/* What others say (paths, names, libvirt's words) must not make lines of its own, nor long ones. */
static char *
one_line(const char *text)
{
    char *line = ferry_text_clip(text ? text : "", FERRY_TEXT_MAX_BYTES);

    for (char *c = line; *c; c++)
        if (g_ascii_iscntrl(*c))
            *c = ' ';
    return line;
}

/* With debug we tell all of ours; what libraries tell each other helps nobody here. */
static bool
is_wanted(GLogLevelFlags level, const GLogField *fields, gsize count)
{
    if (!(level & G_LOG_LEVEL_DEBUG))
        return true;
    return show_debug && g_strcmp0(field(fields, count, "GLIB_DOMAIN"), G_LOG_DOMAIN) == 0;
}

/* Every line about a migration begins with its id. Returns: (transfer full) (nullable): that, where
 * the line has no field with it. */
static char *
migration_of(const GLogField *fields, gsize count)
{
    static const char begin[] = "Migration '";
    const char *message = field(fields, count, "MESSAGE");

    if (!message || !g_str_has_prefix(message, begin) || field(fields, count, MIGRATION_FIELD))
        return NULL;
    g_autofree char *id = g_strndup(message + strlen(begin), UUID_LENGTH);
    return g_uuid_string_is_valid(id) ? g_steal_pointer(&id) : NULL;
}

/* systemd's journal keeps fields apart, so line breaks may stay. */
static GLogWriterOutput
write_to_journald(GLogLevelFlags level, const GLogField *fields, gsize count)
{
    g_autofree char *message =
        ferry_text_clip(field(fields, count, "MESSAGE"), FERRY_TEXT_MAX_BYTES);
    g_autofree char *migration_id = migration_of(fields, count);
    g_autofree GLogField *clipped = g_new(GLogField, count + 1);

    memcpy(clipped, fields, count * sizeof *fields);
    for (gsize i = 0; i < count; i++)
        if (g_strcmp0(clipped[i].key, "MESSAGE") == 0) {
            clipped[i].value = message;
            clipped[i].length = -1;
        }
    if (migration_id)
        clipped[count++] = (GLogField){MIGRATION_FIELD, migration_id, -1};
    return g_log_writer_journald(level, clipped, count, NULL);
}

static GLogWriterOutput
write_log(GLogLevelFlags level, const GLogField *fields, gsize count, gpointer data)
{
    g_autofree char *at = NULL;
    g_autofree char *message = NULL;

    if (!is_wanted(level, fields, count))
        return G_LOG_WRITER_HANDLED;
    if (to_journald && write_to_journald(level, fields, count) == G_LOG_WRITER_HANDLED)
        return G_LOG_WRITER_HANDLED;
    at = ferry_clock_format_iso(ferry_clock_now_us());
    message = one_line(field(fields, count, "MESSAGE"));
    /* One call, so that lines of several threads do not mix. */
    fprintf(stream, "%s virt-ferryd[%d] %s %s\n", at, (int)getpid(),
            level_name(level, field(fields, count, "PRIORITY")), message);
    fflush(stream);
    return G_LOG_WRITER_HANDLED;
}

bool
ferry_log_open(const char *log_file, bool debug, GError **error)
{
    stream = stderr;
    show_debug = debug;
    to_journald = !log_file && g_log_writer_is_journald(STDERR_FILENO);
    if (log_file) {
        stream = fopen(log_file, "ae");
        if (!stream) {
            ferry_set_error(error, FERRY_ERROR_CONFIG,
                            "Give the agent's user rights on it, or set another [DEFAULT] log_file",
                            "Cannot open the log file '%s': %s", log_file, g_strerror(errno));
            stream = stderr;
            return false;
        }
    }
    g_log_set_writer_func(write_log, NULL, NULL);
    return true;
}
