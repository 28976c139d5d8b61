#include "config.h"

#include "model/migrate-data.h"

#include "ferry/error.h"
#include "ferry/json.h"

static char *
bracketed(const char *address)
{
    bool ipv6 = strchr(address, ':') != NULL && address[0] != '[';

    return g_strdup_printf(ipv6 ? "[%s]" : "%s", address);
}

char *
ferry_migrate_data_libvirt_uri(const FerryConfig *config, const char *address)
{
    g_autofree char *host = bracketed(address);

    if (!config->live_migration_uri)
        return g_strdup_printf("qemu+%s://%s/system", config->live_migration_scheme, host);

    GString *uri = g_string_new(config->live_migration_uri);

    g_string_replace(uri, "%s", host, 1);
    return g_string_free(uri, FALSE);
}

char *
ferry_migrate_data_migrate_uri(const char *address)
{
    g_autofree char *host = bracketed(address);

    return g_strdup_printf("tcp://%s", host);
}

static bool
refuse(const char *field, const char *value, const char *expected, GError **error)
{
    ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST,
                    "Pass migrate_data on as pre_live_migration answered it",
                    "migrate_data.%s is '%s': expected %s", field, value ? value : "(not a string)",
                    expected);
    return false;
}

static bool
is_host(const char *host)
{
    gsize length = host ? strlen(host) : 0;

    return length > 0 && length <= 255 && host[0] != '-' &&
           strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:_-") ==
               length;
}

static GUri *
parse_plain_uri(const char *text)
{
    GUri *uri = text ? g_uri_parse(text, G_URI_FLAGS_NONE, NULL) : NULL;

    if (uri && (!is_host(g_uri_get_host(uri)) || g_uri_get_userinfo(uri) || g_uri_get_query(uri) ||
                g_uri_get_fragment(uri)))
        g_clear_pointer(&uri, g_uri_unref);
    return uri;
}

static bool
is_plain_libvirt_uri(const char *text)
{
    static const char *const schemes[] = {"qemu+tls", "qemu+tcp", "qemu+ssh", NULL};
    g_autoptr(GUri) uri = parse_plain_uri(text);

    return uri && g_strv_contains(schemes, g_uri_get_scheme(uri)) &&
           g_strcmp0(g_uri_get_path(uri), "/system") == 0;
}

bool
ferry_migrate_data_check(const json_t *migrate_data, const FerryConfig *config, GError **error)
{
    const char *libvirt_uri = ferry_json_get_string(migrate_data, "libvirt_uri");
    const char *migrate_uri = ferry_json_get_string(migrate_data, "migrate_uri");
    g_autoptr(GUri) uri = parse_plain_uri(migrate_uri);

    if (!uri || g_strcmp0(g_uri_get_scheme(uri), "tcp") != 0 || g_uri_get_path(uri)[0] != '\0')
        return refuse("migrate_uri", migrate_uri, "tcp://HOST or tcp://HOST:PORT", error);

    g_autofree char *own = ferry_migrate_data_libvirt_uri(config, g_uri_get_host(uri));

    if (g_strcmp0(libvirt_uri, own) != 0 && !is_plain_libvirt_uri(libvirt_uri))
        return refuse("libvirt_uri", libvirt_uri,
                      "qemu+tls, qemu+tcp or qemu+ssh://HOST/system, or what this host's "
                      "live_migration_uri makes",
                      error);
    /* A document of a stranger could name any program and any file of the destination; what the
     * options ask for is made here, of libvirt's own. */
    if (json_object_get(migrate_data, "destination_xml") &&
        !json_is_null(json_object_get(migrate_data, "destination_xml")))
        return refuse("destination_xml", "a document", "null", error);
    return true;
}
