#include "config.h"

#include "host-survey.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "ferry/lock.h"
#include "output.h"

/* Who has not answered a ping by then is not there. */
#define PING_WINDOW_MS 2000
/* Where only the names are wanted, a person waits for nothing else. */
#define NAMES_WINDOW_MS 1000
/* How long a slow description is waited for, once its agent has answered the ping. */
#define DESCRIBE_WINDOW_MS 8000

typedef struct {
    FerryBus *bus;
    GCancellable *enough; /* everybody who is there is described */

    GMutex lock;
    GCond changed;
    /* Guarded by lock. */
    GHashTable *hosts; /* name -> json_t: a description, or a ping's answer */
    guint answered;    /* by a description, or an error in its place */
    bool over;         /* no more descriptions come */
} Survey;

static void
take(Survey *self, const json_t *answer, bool description)
{
    const char *name = ferry_json_get_string(answer, "host");
    FERRY_LOCK_SCOPE(&self->lock);

    /* A description says more than a ping, whichever comes first. */
    if (!name || (!description && g_hash_table_contains(self->hosts, name)))
        return;
    g_hash_table_replace(self->hosts, g_strdup(name), json_incref((json_t *)answer));
}

static void
take_ping(const json_t *result, const GError *error, gpointer user_data)
{
    if (result)
        take(user_data, result, /* description= */ false);
}

static void
take_description(const json_t *result, const GError *error, gpointer user_data)
{
    Survey *self = user_data;

    if (result)
        take(self, result, /* description= */ true);
    else
        ferry_complain("an agent could not describe its host: %s", error->message);
    g_mutex_lock(&self->lock);
    self->answered++;
    g_cond_broadcast(&self->changed);
    g_mutex_unlock(&self->lock);
}

static gpointer
describe(gpointer data)
{
    Survey *self = data;
    const FerrySurvey question = {
        .method = "describe_host", .window_ms = DESCRIBE_WINDOW_MS, .cancellable = self->enough};

    g_autoptr(GError) why = NULL;

    if (!ferry_bus_survey(self->bus, &question, take_description, self, &why))
        g_debug("Descriptions of hosts: %s", why->message);
    g_mutex_lock(&self->lock);
    self->over = true;
    g_cond_broadcast(&self->changed);
    g_mutex_unlock(&self->lock);
    return NULL;
}

static void
wait_for_descriptions(Survey *self)
{
    FERRY_LOCK_SCOPE(&self->lock);

    while (!self->over && self->answered < g_hash_table_size(self->hosts))
        g_cond_wait(&self->changed, &self->lock);
}

/* Both questions at once: descriptions come while pings are awaited. */
static bool
ask(Survey *self, GError **error)
{
    const FerrySurvey ping = {.method = "ping", .window_ms = PING_WINDOW_MS};
    GThread *thread = g_thread_new("vf-describe", describe, self);
    bool asked = ferry_bus_survey(self->bus, &ping, take_ping, self, error);

    if (asked)
        wait_for_descriptions(self);
    g_cancellable_cancel(self->enough);
    g_thread_join(thread);
    return asked;
}

static json_t *
sorted(GHashTable *hosts)
{
    g_autoptr(GList) names = g_list_sort(g_hash_table_get_keys(hosts), (GCompareFunc)g_strcmp0);
    json_t *array = json_array();

    for (const GList *name = names; name; name = name->next)
        json_array_append(array, g_hash_table_lookup(hosts, name->data));
    return array;
}

static void
set_nobody_error(guint window_ms, GError **error)
{
    ferry_set_error(error, FERRY_ERROR_DESTINATION_UNREACHABLE,
                    "check that virt-ferryd runs, and that --exchange names its exchange",
                    "no agent answered within %u s", window_ms / 1000);
}

json_t *
ferry_host_survey(FerryBus *bus, GError **error)
{
    g_autoptr(GCancellable) enough = g_cancellable_new();
    g_autoptr(GHashTable) hosts =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)json_decref);
    Survey self = {.bus = bus, .enough = enough, .hosts = hosts};

    g_mutex_init(&self.lock);
    g_cond_init(&self.changed);
    bool asked = ask(&self, error);
    g_cond_clear(&self.changed);
    g_mutex_clear(&self.lock);
    if (!asked)
        return NULL;
    if (g_hash_table_size(hosts) > 0)
        return sorted(hosts);
    set_nobody_error(PING_WINDOW_MS, error);
    return NULL;
}

/* --- names alone ------------------------------------------------------------------------------ */

static void
collect_name(const json_t *result, const GError *error, gpointer names)
{
    const char *name = ferry_json_get_string(result, "host");

    if (name)
        g_ptr_array_add(names, g_strdup(name));
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return g_strcmp0(*(char *const *)a, *(char *const *)b);
}

char **
ferry_host_survey_names(FerryBus *bus, GError **error)
{
    const FerrySurvey ping = {.method = "ping", .window_ms = NAMES_WINDOW_MS};
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    if (!ferry_bus_survey(bus, &ping, collect_name, names, error))
        return NULL;
    if (names->len == 0) {
        set_nobody_error(NAMES_WINDOW_MS, error);
        return NULL;
    }
    g_ptr_array_sort(names, compare_names);
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&names), FALSE);
}
