#include "config.h"

#include "place.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "ferry/text.h"

#include <string.h>

/* The beginning of a UUID that is taken for one, and not for the whole name of an instance. */
#define PREFIX_MIN 4
#define UUID_LENGTH 36

typedef enum {
    MATCH_NONE,
    MATCH_PREFIX,
    MATCH_WHOLE,
} Match;

typedef struct {
    const char *host;
    const json_t *instance;
} Found;

static bool
may_be_prefix(const char *name)
{
    size_t length = strlen(name);

    return length >= PREFIX_MIN && length < UUID_LENGTH &&
           strspn(name, "0123456789abcdefABCDEF-") == length;
}

static Match
match(const json_t *instance, const char *name)
{
    const char *its_name = ferry_json_get_string(instance, "name");
    const char *uuid = ferry_json_get_string(instance, "uuid");

    if (g_strcmp0(its_name, name) == 0 || (uuid && g_ascii_strcasecmp(uuid, name) == 0))
        return MATCH_WHOLE;
    return uuid && may_be_prefix(name) && g_ascii_strncasecmp(uuid, name, strlen(name)) == 0
               ? MATCH_PREFIX
               : MATCH_NONE;
}

/* @hosts: what describe_host answered. */
static GArray *
find(const json_t *hosts, const char *name, Match wanted)
{
    GArray *found = g_array_new(FALSE, FALSE, sizeof(Found));
    size_t i = 0;
    size_t k = 0;
    const json_t *host = NULL;
    const json_t *instance = NULL;

    json_array_foreach(hosts, i, host) {
        json_array_foreach(json_object_get(host, "instances"), k, instance) {
            const Found one = {ferry_json_get_string(host, "host"), instance};

            if (one.host && match(instance, name) == wanted)
                g_array_append_val(found, one);
        }
    }
    return found;
}

/* Returns: (nullable) (transfer full): the hint with the nearest of the names of the instances. */
static char *
suggest_instance(const json_t *hosts, const char *name)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    size_t i = 0;
    size_t k = 0;
    const json_t *host = NULL;
    const json_t *instance = NULL;

    json_array_foreach(hosts, i, host) {
        json_array_foreach(json_object_get(host, "instances"), k, instance) {
            const char *its_name = ferry_json_get_string(instance, "name");

            if (its_name)
                g_ptr_array_add(names, (char *)its_name);
        }
    }
    g_ptr_array_add(names, NULL);
    return ferry_text_suggest(name, (const char *const *)names->pdata);
}

/* @hint: (nullable) (transfer full). */
static void
take_hint(GError *error, char *hint)
{
    if (hint)
        ferry_error_set_hint(error, hint);
    g_free(hint);
}

static char *
refuse_none(const json_t *hosts, const char *name, GError **error)
{
    GError *refusal =
        ferry_error_new(FERRY_ERROR_INSTANCE_NOT_FOUND,
                        "'virt-ferry hosts' shows which agents answer; or name the host by --from",
                        "no host that answered has an instance '%s'", name);

    take_hint(refusal, suggest_instance(hosts, name));
    g_propagate_error(error, refusal);
    return NULL;
}

/* The same instance on several hosts. */
static bool
is_one(const GArray *found)
{
    const char *first = ferry_json_get_string(g_array_index(found, Found, 0).instance, "uuid");

    for (guint i = 1; i < found->len; i++)
        if (g_strcmp0(first,
                      ferry_json_get_string(g_array_index(found, Found, i).instance, "uuid")) != 0)
            return false;
    return first != NULL;
}

static char *
refuse_several(const GArray *found, const char *name, GError **error)
{
    g_autoptr(GString) places = g_string_new(NULL);
    g_autofree char *under_way =
        g_strdup_printf("A migration of it may be under way: 'virt-ferry show %s' tells, and "
                        "'virt-ferry abort %s' ends it",
                        name, name);

    for (guint i = 0; i < found->len; i++) {
        const Found *one = &g_array_index(found, Found, i);

        g_string_append_printf(places, "%s'%s' on %s (%s)", i > 0 ? ", " : "",
                               ferry_json_get_string(one->instance, "name"), one->host,
                               ferry_json_get_string(one->instance, "state"));
    }
    ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST,
                    is_one(found) ? under_way
                                  : "Name the one that is meant: its host by --from, or its whole "
                                    "UUID",
                    "'%s' is there more than once: %s", name, places->str);
    return NULL;
}

static json_t *
ask(FerrySession *session, const char *host, GError **error)
{
    if (!host)
        return ferry_session_hosts(session, error);
    json_t *one = ferry_session_call(session, host, "describe_host", json_object(), error);

    return one ? json_pack("[o]", one) : NULL;
}

static char *
take_one(FerryRoute *route, const Found *one, Match how, const char *name, GError **error)
{
    if (g_strcmp0(one->host, route->to) == 0) {
        g_autofree char *hint = g_strdup_printf(
            "Name another host by --to; 'virt-ferry show %s' tells how it came there", name);

        ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST, hint, "'%s' is on %s already", name,
                        one->host);
        return NULL;
    }
    if (!route->from)
        route->from = g_strdup(one->host);
    return g_strdup(how == MATCH_WHOLE ? name : ferry_json_get_string(one->instance, "uuid"));
}

bool
ferry_place_is_complete(const FerryRoute *route, const char *name)
{
    return route->from && !may_be_prefix(name);
}

char *
ferry_place_complete(FerrySession *session, FerryRoute *route, const char *name, GError **error)
{
    if (ferry_place_is_complete(route, name))
        return g_strdup(name);
    g_autoptr(FerryJson) hosts = ask(session, route->from, error);
    if (!hosts)
        return NULL;
    for (Match how = MATCH_WHOLE; how > MATCH_NONE; how--) {
        g_autoptr(GArray) found = find(hosts, name, how);

        if (found->len == 1)
            return take_one(route, &g_array_index(found, Found, 0), how, name, error);
        if (found->len > 1)
            return refuse_several(found, name, error);
    }
    return route->from ? g_strdup(name) : refuse_none(hosts, name, error);
}

static void
name_place(GError *error, const Found *found)
{
    g_autofree char *hint =
        g_strdup_printf("'%s' is on %s: leave --from out, or name that host",
                        ferry_json_get_string(found->instance, "name"), found->host);

    ferry_error_set_hint(error, hint);
}

static bool
is_unknown_host(const GError *error)
{
    const char *reason = ferry_json_get_string(ferry_error_details(error), "reason");

    return g_error_matches(error, FERRY_ERROR, FERRY_ERROR_DESTINATION_UNREACHABLE) &&
           g_strcmp0(reason, "no-queue") == 0;
}

/* Returns: (nullable) (transfer full): the nearest of @there, but none of those that were named. */
static char *
suggest_other(char **there, const char *wanted, const char *const *named)
{
    g_autoptr(GPtrArray) others = g_ptr_array_new();

    for (; *there; there++)
        if (!g_strv_contains(named, *there))
            g_ptr_array_add(others, *there);
    g_ptr_array_add(others, NULL);
    return ferry_text_suggest(wanted, (const char *const *)others->pdata);
}

static void
explain_hosts(FerrySession *session, const char *const *hosts, GError *error)
{
    const char *const *asked = hosts;
    g_auto(GStrv) there = ferry_session_host_names(session, /* host= */ NULL, NULL);

    for (; there && hosts && *hosts; hosts++) {
        if (!g_strv_contains((const char *const *)there, *hosts))
            take_hint(error, suggest_other(there, *hosts, asked));
    }
}

void
ferry_place_explain(FerrySession *session,
                    const char *instance,
                    const char *const *hosts,
                    GError *error)
{
    if (is_unknown_host(error)) {
        explain_hosts(session, hosts, error);
    } else if (instance && g_error_matches(error, FERRY_ERROR, FERRY_ERROR_INSTANCE_NOT_FOUND)) {
        g_autoptr(FerryJson) there = ferry_session_hosts(session, NULL);
        g_autoptr(GArray) found = find(there, instance, MATCH_WHOLE);

        if (found->len > 0)
            name_place(error, &g_array_index(found, Found, 0));
        else
            take_hint(error, suggest_instance(there, instance));
    }
}
