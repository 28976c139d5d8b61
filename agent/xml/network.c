#include "config.h"

#include "xml/network.h"

#include "xml/document.h"

#define MAX_BYTES (8 * 1024 * 1024)

bool
ferry_netxml_parse(const char *xml, char **ret_forward, char **ret_bridge, GError **error)
{
    g_autoptr(xmlDoc) document = ferry_xml_parse(xml, "network", MAX_BYTES, error);

    if (!document)
        return false;

    const xmlNode *network = xmlDocGetRootElement(document);
    const xmlNode *forward = ferry_xml_child(network, "forward");
    char *mode = ferry_xml_attribute(forward, "mode");

    /* <forward/> without a mode means nat. */
    *ret_forward = mode || !forward ? mode : g_strdup("nat");
    *ret_bridge = ferry_xml_attribute(ferry_xml_child(network, "bridge"), "name");
    return true;
}
