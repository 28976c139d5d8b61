#include "config.h"

#include "xml/domain-queues.h"

#include "xml/document.h"

#define MAX_BYTES (1024 * 1024)

static bool
has_alias(const xmlNode *device, const char *alias)
{
    return ferry_xml_attribute_is(ferry_xml_child(device, "alias"), "name", alias);
}

/* Disks, interfaces and file systems each have words of their own for it. */
static guint64
largest(const xmlNode *driver)
{
    static const char *const words[] = {"queue_size", "rx_queue_size", "tx_queue_size", "queue"};
    guint64 size = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autofree char *text = ferry_xml_attribute(driver, words[i]);

        size = MAX(size, text ? g_ascii_strtoull(text, NULL, 10) : 0);
    }
    return size;
}

guint64
ferry_domxml_queue_size(const char *xml, const char *alias)
{
    g_autoptr(xmlDoc) document = ferry_xml_parse(xml, "domain", MAX_BYTES, NULL);
    const xmlNode *devices =
        document ? ferry_xml_child(xmlDocGetRootElement(document), "devices") : NULL;

    for (const xmlNode *device = devices ? devices->children : NULL; device; device = device->next)
        if (has_alias(device, alias))
            return largest(ferry_xml_child(device, "driver"));
    return 0;
}
