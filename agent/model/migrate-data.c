#include "config.h"

#include "model/migrate-data.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "model/carried-file.h"
#include "model/json-field.h"

#define MAX_VOLUMES 256
#define MAX_POOLS 256
#define MAX_FILES 4096
#define MAX_ADDRESSES 64
#define MAX_TEXT_BYTES 4096
#define MAX_CAPACITY_BYTES (G_GUINT64_CONSTANT(1) << 62)

static char *
bracketed(const char *address)
{
    bool ipv6 = strchr(address, ':') && address[0] != '[';

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

/* --- reading ---------------------------------------------------------------------------------- */

static void
volume_free(FerryMigrateVolume *volume)
{
    g_free(volume->target);
    g_free(volume->path);
    g_free(volume->pool);
    g_free(volume->format);
    g_free(volume);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryMigrateVolume, volume_free)

static void
destroy_volume(gpointer data)
{
    volume_free(data);
}

void
ferry_migrate_data_free(FerryMigrateData *data)
{
    if (!data)
        return;
    g_free(data->migration_id);
    g_free(data->host);
    g_free(data->libvirt_uri);
    g_free(data->migrate_uri);
    g_free(data->libvirt_version);
    g_free(data->qemu_version);
    json_decref(data->pools);
    g_clear_pointer(&data->volumes, g_ptr_array_unref);
    json_decref(data->files);
    json_decref(data->addresses);
    g_free(data->expires_at);
    g_free(data);
}

static bool
read_text(const FerryFieldScope *scope, const char *key, char **value, GError **error)
{
    return ferry_field_text(scope, key, FERRY_FIELD_LINE, MAX_TEXT_BYTES, value, error);
}

static FerryMigrateVolume *
read_volume(const FerryFieldScope *scope, GError **error)
{
    g_autoptr(FerryMigrateVolume) volume = g_new0(FerryMigrateVolume, 1);

    if (!ferry_field_check_object(scope, error) ||
        !read_text(scope, "target", &volume->target, error) ||
        !read_text(scope, "path", &volume->path, error) ||
        !read_text(scope, "pool", &volume->pool, error) ||
        !read_text(scope, "format", &volume->format, error) ||
        !ferry_field_uint64(scope, "capacity_bytes", 0, MAX_CAPACITY_BYTES, &volume->capacity_bytes,
                            error) ||
        !ferry_field_bool(scope, "created", &volume->created, error) ||
        !ferry_field_bool(scope, "seeded", &volume->seeded, error))
        return NULL;
    return g_steal_pointer(&volume);
}

GPtrArray *
ferry_migrate_volumes_from_json(const json_t *list, GError **error)
{
    g_autoptr(GPtrArray) volumes = g_ptr_array_new_with_free_func(destroy_volume);

    for (gsize i = 0; i < json_array_size(list); i++) {
        g_autofree char *path = g_strdup_printf("migrate_data.volumes[%zu]", i);
        const FerryFieldScope scope = {json_array_get(list, i), path};
        FerryMigrateVolume *volume = read_volume(&scope, error);

        if (!volume)
            return NULL;
        g_ptr_array_add(volumes, volume);
    }
    return g_steal_pointer(&volumes);
}

static json_t *
read_pool(const FerryFieldScope *scope, GError **error)
{
    g_autofree char *name = NULL;
    g_autofree char *path = NULL;

    if (!ferry_field_check_object(scope, error) || !read_text(scope, "name", &name, error) ||
        !read_text(scope, "path", &path, error))
        return NULL;
    return json_pack("{s:o, s:o}", "name", ferry_json_text(name), "path", ferry_json_text(path));
}

static json_t *
read_file(const FerryFieldScope *scope, GError **error)
{
    g_autoptr(FerryCarriedFile) file = g_new0(FerryCarriedFile, 1);

    /* Its digest comes later. */
    if (!ferry_field_check_object(scope, error) || !read_text(scope, "kind", &file->kind, error) ||
        !read_text(scope, "path", &file->path, error) ||
        !read_text(scope, "format", &file->format, error) ||
        !read_text(scope, "pool", &file->pool, error) ||
        !read_text(scope, "digest", &file->digest, error) ||
        !ferry_field_uint64(scope, "file_bytes", 0, MAX_CAPACITY_BYTES, &file->file_bytes, error) ||
        !ferry_field_uint64(scope, "data_bytes", 0, MAX_CAPACITY_BYTES, &file->data_bytes, error))
        return NULL;
    return ferry_carried_file_to_json(file);
}

/* Lists that are only passed on. @read: makes an entry of what it understands of one. */
static bool
read_list(const FerryFieldScope *data,
          const char *key,
          gsize max_count,
          json_t *(*read)(const FerryFieldScope *scope, GError **error),
          json_t **ret_list,
          GError **error)
{
    const json_t *list = NULL;

    if (!ferry_field_list(data, key, max_count, &list, error))
        return false;
    *ret_list = json_array();
    for (gsize i = 0; i < json_array_size(list); i++) {
        g_autofree char *path = g_strdup_printf("migrate_data.%s[%zu]", key, i);
        const FerryFieldScope scope = {json_array_get(list, i), path};
        json_t *entry = read(&scope, error);

        if (!entry)
            return false;
        json_array_append_new(*ret_list, entry);
    }
    return true;
}

FerryMigrateData *
ferry_migrate_data_from_json(const json_t *object, GError **error)
{
    const FerryFieldScope scope = {object, "migrate_data"};
    const json_t *volumes = NULL;
    g_autoptr(FerryMigrateData) data = g_new0(FerryMigrateData, 1);

    if (!ferry_field_check_object(&scope, error) ||
        !read_text(&scope, "migration_id", &data->migration_id, error) ||
        !read_text(&scope, "host", &data->host, error) ||
        !read_text(&scope, "libvirt_uri", &data->libvirt_uri, error) ||
        !read_text(&scope, "migrate_uri", &data->migrate_uri, error) ||
        !read_text(&scope, "libvirt_version", &data->libvirt_version, error) ||
        !read_text(&scope, "qemu_version", &data->qemu_version, error) ||
        !read_text(&scope, "expires_at", &data->expires_at, error) ||
        !ferry_field_bool(&scope, "renews_images", &data->renews_images, error) ||
        !ferry_field_bool(&scope, "numbers_attempts", &data->numbers_attempts, error) ||
        !ferry_field_bool(&scope, "seeds_anew", &data->seeds_anew, error) ||
        !ferry_field_list(&scope, "volumes", MAX_VOLUMES, &volumes, error))
        return NULL;
    data->volumes = ferry_migrate_volumes_from_json(volumes, error);
    if (!data->volumes || !read_list(&scope, "pools", MAX_POOLS, read_pool, &data->pools, error) ||
        !read_list(&scope, "files", MAX_FILES, read_file, &data->files, error) ||
        !ferry_field_map(&scope, "addresses", MAX_ADDRESSES, MAX_TEXT_BYTES, &data->addresses,
                         error))
        return NULL;
    data->names_document = json_object_get(object, "destination_xml") &&
                           !json_is_null(json_object_get(object, "destination_xml"));
    return g_steal_pointer(&data);
}

/* --- writing ---------------------------------------------------------------------------------- */

static json_t *
volume_to_json(const FerryMigrateVolume *volume)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:I, s:b, s:b}", "target",
                     ferry_json_text(volume->target), "path", ferry_json_text(volume->path), "pool",
                     ferry_json_text(volume->pool), "format", ferry_json_text(volume->format),
                     "capacity_bytes", (json_int_t)volume->capacity_bytes, "created",
                     volume->created, "seeded", volume->seeded);
}

static json_t *
or_empty_list(json_t *list)
{
    return list ? json_incref(list) : json_array();
}

json_t *
ferry_migrate_data_to_json(const FerryMigrateData *data)
{
    json_t *volumes = json_array();

    for (guint i = 0; i < data->volumes->len; i++)
        json_array_append_new(volumes, volume_to_json(g_ptr_array_index(data->volumes, i)));

    json_t *object = json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:n, s:o}", "migration_id",
        ferry_json_text(data->migration_id), "host", ferry_json_text(data->host), "libvirt_uri",
        ferry_json_text(data->libvirt_uri), "migrate_uri", ferry_json_text(data->migrate_uri),
        "libvirt_version", ferry_json_text(data->libvirt_version), "qemu_version",
        ferry_json_text(data->qemu_version), "pools", or_empty_list(data->pools), "volumes",
        volumes, "files", or_empty_list(data->files), "destination_xml", "expires_at",
        ferry_json_text(data->expires_at));

    if (data->renews_images)
        json_object_set_new(object, "renews_images", json_true());
    if (data->numbers_attempts)
        json_object_set_new(object, "numbers_attempts", json_true());
    if (data->seeds_anew)
        json_object_set_new(object, "seeds_anew", json_true());
    if (json_object_size(data->addresses) > 0)
        json_object_set(object, "addresses", data->addresses);
    return object;
}

const FerryMigrateVolume *
ferry_migrate_data_find(const FerryMigrateData *data, const char *target)
{
    for (guint i = 0; data && i < data->volumes->len; i++) {
        const FerryMigrateVolume *volume = g_ptr_array_index(data->volumes, i);

        if (g_strcmp0(volume->target, target) == 0)
            return volume;
    }
    return NULL;
}

json_t *
ferry_migrate_data_addresses(const FerryMigrateData *data, char *const *own)
{
    g_autoptr(FerryJson) found = json_object();
    const char *from = NULL;
    json_t *to = NULL;

    json_object_foreach(data->addresses, from, to)
        if (own && g_strv_contains((const char *const *)own, from) &&
            g_hostname_is_ip_address(json_string_value(to)))
            json_object_set(found, from, to);
    return json_object_size(found) > 0 ? g_steal_pointer(&found) : NULL;
}

/* --- checking --------------------------------------------------------------------------------- */

static bool
refuse(const char *field, const char *value, const char *expected, GError **error)
{
    ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST,
                    "Pass migrate_data on as pre_live_migration answered it, and give both hosts "
                    "the same live_migration_scheme",
                    "migrate_data.%s is '%s': expected %s", field, value ? value : "(nothing)",
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

/* Over tcp nobody proves who he is and everybody reads along: a host that itself wants more is not
 * talked into it. */
static bool
is_plain_libvirt_uri(const char *text, const char *own)
{
    static const char *const schemes[] = {"qemu+tls", "qemu+ssh", "qemu+tcp", NULL};
    g_autoptr(GUri) uri = parse_plain_uri(text);
    bool takes_tcp = g_str_has_prefix(own, "qemu+tcp:");

    return uri && g_strv_contains(schemes, g_uri_get_scheme(uri)) &&
           (takes_tcp || strcmp(g_uri_get_scheme(uri), "qemu+tcp") != 0) &&
           g_strcmp0(g_uri_get_path(uri), "/system") == 0;
}

bool
ferry_migrate_data_check(const FerryMigrateData *data, const FerryConfig *config, GError **error)
{
    g_autoptr(GUri) uri = parse_plain_uri(data->migrate_uri);

    if (!uri || g_strcmp0(g_uri_get_scheme(uri), "tcp") != 0 || g_uri_get_path(uri)[0] != '\0')
        return refuse("migrate_uri", data->migrate_uri, "tcp://HOST or tcp://HOST:PORT", error);

    g_autofree char *own = ferry_migrate_data_libvirt_uri(config, g_uri_get_host(uri));

    if (g_strcmp0(data->libvirt_uri, own) != 0 && !is_plain_libvirt_uri(data->libvirt_uri, own))
        return refuse("libvirt_uri", data->libvirt_uri,
                      "qemu+tls or qemu+ssh://HOST/system, qemu+tcp where this host has it itself, "
                      "or what this host's live_migration_uri makes",
                      error);
    /* A document of a stranger could name any program and any file of the destination; what the
     * options ask for is made here, of libvirt's own. */
    if (data->names_document)
        return refuse("destination_xml", "a document", "null", error);
    return true;
}

FerryHostVersions
ferry_migrate_data_host_versions(const FerryMigrateData *data)
{
    return (FerryHostVersions){data->libvirt_version, data->qemu_version};
}
