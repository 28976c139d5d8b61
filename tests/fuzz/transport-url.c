/* The transport_url, which holds a password and comes from several hands. */
#include "config.h"

#include "target.h"

#include "../../rpc/transport.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(FerryMessagingOptions) options = ferry_messaging_options_new();
    g_autoptr(GError) error = NULL;

    g_free(options->transport_url);
    options->transport_url = g_strndup((const char *)data, size);

    g_autoptr(FerryTransport) transport = ferry_transport_new(options, "fuzz", &error);

    g_assert_true((transport == NULL) == (error != NULL));
    if (!transport)
        return 0;
    g_assert_cmpuint(transport->brokers->len, >, 0);
    g_assert_cmpstr(transport->vhost, !=, "");
    for (guint i = 0; i < transport->brokers->len; i++) {
        const FerryBroker *broker = g_ptr_array_index(transport->brokers, i);

        g_assert_cmpstr(broker->host, !=, "");
        g_assert_cmpuint(broker->port, >, 0);
        g_assert_nonnull(broker->user);
        g_assert_nonnull(broker->password);
    }
    return 0;
}
