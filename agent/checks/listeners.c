#include "config.h"

#include "checks/listeners.h"

#include "runtime/listen-address.h"
#include "xml/domain-edit.h"

#include <gio/gio.h>

static bool
is_of_family(GInetAddress *address, const char *other)
{
    g_autoptr(GInetAddress) parsed = g_inet_address_new_from_string(other);

    return parsed && g_inet_address_get_family(parsed) == g_inet_address_get_family(address);
}

/* Returns: (transfer full) (nullable): an address of this host that @name means, rather one of the
 * same family as @like. */
static char *
look_up(const char *name, const char *like)
{
    g_autoptr(GResolver) resolver = g_resolver_get_default();
    GList *found = g_resolver_lookup_by_name(resolver, name, NULL, NULL);
    g_autofree char *other = NULL;

    for (GList *each = found; each; each = each->next) {
        g_autofree char *text = g_inet_address_to_string(each->data);

        if (!ferry_listen_address_is_own(text))
            continue;
        if (!other || is_of_family(each->data, like)) {
            g_free(other);
            other = g_steal_pointer(&text);
        }
        if (is_of_family(each->data, like))
            break;
    }
    g_resolver_free_addresses(found);
    return g_steal_pointer(&other);
}

static char *
address_here(const char *like, const char *ordered, const char *inbound)
{
    if (ordered)
        return g_strdup(ordered);
    return g_hostname_is_ip_address(inbound) ? g_strdup(inbound) : look_up(inbound, like);
}

/* What cannot be read is said by the checks. */
static void
move_in(char **xml, const json_t *moved)
{
    char *changed = *xml ? ferry_domxml_move_listeners(*xml, moved, NULL) : NULL;

    if (changed) {
        g_free(*xml);
        *xml = changed;
    }
}

void
ferry_listeners_place(FerryInstance *instance, const char *ordered, const char *inbound)
{
    json_t *moved = json_object();

    for (gsize i = 0; instance->own_addresses && instance->own_addresses[i]; i++) {
        const char *address = instance->own_addresses[i];
        bool foreign = ferry_listen_address_try(address, 0) == FERRY_LISTEN_FOREIGN;
        g_autofree char *here = foreign ? address_here(address, ordered, inbound) : NULL;

        if (here)
            json_object_set_new(moved, address, json_string(here));
    }
    if (json_object_size(moved) > 0) {
        move_in(&instance->domain_xml, moved);
        move_in(&instance->persistent_xml, moved);
    }
    json_decref(instance->moved_addresses);
    instance->moved_addresses = moved;
}
