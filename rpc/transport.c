#include "config.h"

#include "transport.h"

#include "ferry/lock.h"
#include "transport-url.h"

/* A broker may answer with another text each time. */
#define TOLD_MAX 32

static void
broker_free(gpointer data)
{
    FerryBroker *broker = data;

    g_free(broker->host);
    g_free(broker->user);
    g_free(broker->password);
    g_free(broker);
}

FerryTransport *
ferry_transport_new(const FerryMessagingOptions *options, const char *program, GError **error)
{
    g_autoptr(FerryTransport) transport = g_atomic_rc_box_new0(FerryTransport);

    g_mutex_init(&transport->lock);
    transport->told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    transport->brokers = g_ptr_array_new_with_free_func(broker_free);
    transport->options = ferry_messaging_options_copy(options);
    transport->program = g_strdup(program);
    if (!ferry_transport_url_parse(options->transport_url, transport, error))
        return NULL;
    return g_steal_pointer(&transport);
}

FerryTransport *
ferry_transport_ref(FerryTransport *transport)
{
    return g_atomic_rc_box_acquire(transport);
}

static void
transport_clear(gpointer data)
{
    FerryTransport *transport = data;

    g_ptr_array_unref(transport->brokers);
    g_free(transport->vhost);
    ferry_messaging_options_free(transport->options);
    g_free(transport->program);
    g_hash_table_unref(transport->told);
    g_mutex_clear(&transport->lock);
}

void
ferry_transport_unref(FerryTransport *transport)
{
    g_atomic_rc_box_release_full(transport, transport_clear);
}

bool
ferry_transport_tell(FerryTransport *transport, const char *text)
{
    FERRY_LOCK_SCOPE(&transport->lock);

    if (g_hash_table_size(transport->told) >= TOLD_MAX)
        g_hash_table_remove_all(transport->told);
    return g_hash_table_add(transport->told, g_strdup(text));
}

void
ferry_transport_forget_told(FerryTransport *transport)
{
    FERRY_LOCK_SCOPE(&transport->lock);

    g_hash_table_remove_all(transport->told);
}
