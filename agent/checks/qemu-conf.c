#include "config.h"

#include "checks/qemu-conf.h"

#include <string.h>

/* libvirt's own, where its configuration sets none. */
#define FIRST_PORT 49152
#define LAST_PORT 49215

char **
ferry_qemu_conf_read(const char *path)
{
    g_autofree char *text = NULL;

    return g_file_get_contents(path, &text, NULL, NULL) ? g_strsplit(text, "\n", -1) : NULL;
}

/* Returns: (transfer full) (nullable): what stands behind `=`: a text or a number. */
static char *
text_in(const char *rest)
{
    g_auto(GStrv) parts = g_strsplit(rest, "\"", 3);

    return g_strv_length(parts) == 3 && g_strcmp0(g_strstrip(parts[0]), "") == 0
               ? g_strdup(parts[1])
               : NULL;
}

static char *
number_in(const char *rest)
{
    return g_strstrip(g_strndup(rest, strcspn(rest, "#\"")));
}

static char *
find(char **lines, const char *key, char *(*read)(const char *rest))
{
    g_autofree char *value = NULL;

    for (char **line = lines; line && *line; line++) {
        const char *start = *line + strspn(*line, " \t");
        const char *rest = g_str_has_prefix(start, key) ? start + strlen(key) : "";
        const char *sign = rest + strspn(rest, " \t");
        char *found = *sign == '=' ? read(sign + 1) : NULL;

        if (!found)
            continue;
        g_free(value);
        value = found;
    }
    return g_steal_pointer(&value);
}

char *
ferry_qemu_conf_text(char **lines, const char *key)
{
    return find(lines, key, text_in);
}

static guint16
port_of(char **lines, const char *key, guint16 otherwise)
{
    g_autofree char *text = find(lines, key, number_in);
    guint64 port = 0;

    return text && g_ascii_string_to_unsigned(text, 10, 1, G_MAXUINT16, &port, NULL) ? (guint16)port
                                                                                     : otherwise;
}

FerryPortRange
ferry_qemu_conf_migration_ports(char **lines)
{
    return (FerryPortRange){port_of(lines, "migration_port_min", FIRST_PORT),
                            port_of(lines, "migration_port_max", LAST_PORT)};
}
