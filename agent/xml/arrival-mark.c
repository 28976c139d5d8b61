#include "config.h"

#include "xml/arrival-mark.h"

#include "xml/document.h"

#include <string.h>

#define MAX_BYTES (1024 * 1024)

static xmlNode *
find_mark(const xmlNode *metadata)
{
    for (xmlNode *node = metadata ? metadata->children : NULL; node; node = node->next)
        if (node->type == XML_ELEMENT_NODE && node->ns &&
            strcmp((const char *)node->ns->href, FERRY_ARRIVAL_NAMESPACE) == 0)
            return node;
    return NULL;
}

char *
ferry_arrival_mark_add(const char *xml, const char *migration_id, GError **error)
{
    g_autoptr(xmlDoc) document = ferry_xml_parse(xml, "domain", MAX_BYTES, error);

    if (!document)
        return NULL;

    xmlNode *domain = xmlDocGetRootElement(document);
    xmlNode *metadata = ferry_xml_child(domain, "metadata");

    if (!metadata)
        metadata = ferry_xml_add(domain, "metadata", NULL);

    xmlNode *mark = find_mark(metadata);

    if (mark)
        ferry_xml_remove(mark);
    mark = ferry_xml_add(metadata, "arrival", NULL);
    xmlSetNs(mark, xmlNewNs(mark, BAD_CAST FERRY_ARRIVAL_NAMESPACE, BAD_CAST "ferry"));
    ferry_xml_set(mark, "migration", migration_id);
    return ferry_xml_dump(domain);
}

char *
ferry_arrival_mark_find(const char *xml)
{
    g_autoptr(xmlDoc) document = ferry_xml_parse(xml, "domain", MAX_BYTES, NULL);
    const xmlNode *domain = document ? xmlDocGetRootElement(document) : NULL;

    return ferry_xml_attribute(find_mark(ferry_xml_child(domain, "metadata")), "migration");
}

char *
ferry_arrival_mark_clean(const char *xml)
{
    g_autoptr(xmlDoc) document = ferry_xml_parse(xml, "domain", MAX_BYTES, NULL);
    xmlNode *domain = document ? xmlDocGetRootElement(document) : NULL;
    xmlNode *metadata = ferry_xml_child(domain, "metadata");

    if (!metadata || xmlChildElementCount(metadata) > 0)
        return NULL;
    ferry_xml_remove(metadata);
    return ferry_xml_dump(domain);
}
