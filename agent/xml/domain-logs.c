#include "config.h"

#include "xml/domain-logs.h"

#include "xml/document.h"

#define MAX_BYTES (1024 * 1024)

static void
add(GPtrArray *paths, char *path)
{
    if (path && !g_ptr_array_find_with_equal_func(paths, path, g_str_equal, NULL))
        g_ptr_array_add(paths, path);
    else
        g_free(path);
}

static void
read_devices(GPtrArray *paths, const xmlNode *devices, const char *element)
{
    for (const xmlNode *node = ferry_xml_child(devices, element); node != NULL;
         node = ferry_xml_next(node)) {
        add(paths, ferry_xml_attribute(ferry_xml_child(node, "log"), "file"));
        if (ferry_xml_attribute_is(node, "type", "file"))
            add(paths, ferry_xml_attribute(ferry_xml_child(node, "source"), "path"));
    }
}

char **
ferry_domxml_log_files(const char *xml)
{
    static const char *const elements[] = {"serial", "parallel", "console", "channel"};
    g_autoptr(xmlDoc) document = xml ? ferry_xml_parse(xml, "domain", MAX_BYTES, NULL) : NULL;
    if (!document)
        return NULL;
    const xmlNode *devices = ferry_xml_child(xmlDocGetRootElement(document), "devices");
    GPtrArray *paths = g_ptr_array_new();
    for (gsize i = 0; i < G_N_ELEMENTS(elements); i++)
        read_devices(paths, devices, elements[i]);
    g_ptr_array_add(paths, NULL);
    return (char **)g_ptr_array_free(paths, FALSE);
}
