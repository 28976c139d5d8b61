#include "config.h"

#include "xml/domain-folder.h"

#include "xml/document.h"

/* Without a type it is "mount", without a driver "path". */
bool
ferry_domxml_is_9p(const xmlNode *filesystem)
{
    g_autofree char *type = ferry_xml_attribute(filesystem, "type");
    g_autofree char *driver = ferry_xml_attribute(ferry_xml_child(filesystem, "driver"), "type");

    return (!type || g_str_equal(type, "mount")) &&
           (!driver || g_str_equal(driver, "path") || g_str_equal(driver, "handle"));
}
