#include "config.h"

#include "xml/document.h"

#include "ferry/error.h"

#include <libxml/parser.h>

#include <string.h>

typedef xmlParserCtxt FerryXmlParser;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryXmlParser, xmlFreeParserCtxt)
typedef xmlBuffer FerryXmlBuffer;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerryXmlBuffer, xmlBufferFree)

/* Runs at "<!DOCTYPE": nothing of the DTD is read, so no entity is ever declared. */
static void
refuse_dtd(void *user_data,
           const xmlChar *name G_GNUC_UNUSED,
           const xmlChar *external_id G_GNUC_UNUSED,
           const xmlChar *system_id G_GNUC_UNUSED)
{
    xmlParserCtxt *parser = user_data;
    bool *dtd_seen = parser->_private;
    *dtd_seen = true;
    xmlStopParser(parser);
}

static bool
refuse(GError **error, const char *root, const char *reason)
{
    ferry_set_error(error, FERRY_ERROR_INVALID_REQUEST,
                    "Send the document as libvirt's own commands print it",
                    "XML of a <%s> refused: %s", root, reason);
    return false;
}

static char *
describe_failure(xmlParserCtxt *parser)
{
    const xmlError *failure = xmlCtxtGetLastError(parser);
    if (!failure || !failure->message)
        return g_strdup("it is not well-formed");
    g_autofree char *message = g_utf8_make_valid(failure->message, -1);
    return g_strdup_printf("line %d: %s", failure->line, g_strstrip(message));
}

static bool
check_root(const xmlDoc *document, const char *root, GError **error)
{
    const xmlNode *element = xmlDocGetRootElement(document);
    if (element && !element->ns && strcmp((const char *)element->name, root) == 0)
        return true;
    g_autofree char *reason =
        g_strdup_printf("its root is <%.60s>", element ? (const char *)element->name : "");
    return refuse(error, root, reason);
}

xmlDoc *
ferry_xml_parse(const char *xml, const char *root, gsize max_bytes, GError **error)
{
    g_return_val_if_fail(xml, NULL);
    gsize length = strlen(xml);
    if (length > max_bytes || length > G_MAXINT) {
        g_autofree char *reason =
            g_strdup_printf("%zu bytes are more than the limit of %zu", length, max_bytes);
        (void)refuse(error, root, reason);
        return NULL;
    }
    bool dtd_seen = false;
    g_autoptr(FerryXmlParser) parser = xmlNewParserCtxt();
    parser->_private = &dtd_seen;
    parser->sax->internalSubset = refuse_dtd;
    /* The text is UTF-8 as everything from libvirt is, whatever its declaration says. */
    g_autoptr(xmlDoc) document = xmlCtxtReadMemory(
        parser, xml, (int)length, /* URL= */ NULL, "UTF-8",
        XML_PARSE_NONET | XML_PARSE_NOBLANKS | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (dtd_seen) {
        (void)refuse(error, root, "it has a DTD");
        return NULL;
    }
    if (!document) {
        g_autofree char *reason = describe_failure(parser);
        (void)refuse(error, root, reason);
        return NULL;
    }
    if (!check_root(document, root, error))
        return NULL;
    return g_steal_pointer(&document);
}

static xmlNode *
find(xmlNode *from, const char *name)
{
    for (xmlNode *node = from; node; node = node->next) {
        if (node->type == XML_ELEMENT_NODE && !node->ns &&
            strcmp((const char *)node->name, name) == 0)
            return node;
    }
    return NULL;
}

xmlNode *
ferry_xml_child(const xmlNode *node, const char *name)
{
    return node ? find(node->children, name) : NULL;
}

xmlNode *
ferry_xml_next(const xmlNode *node)
{
    return find(node->next, (const char *)node->name);
}

/* libxml2's allocator may be another one than GLib's. */
static char *
take(xmlChar *text)
{
    char *copy = g_strdup((const char *)text);
    if (text)
        xmlFree(text);
    return copy;
}

char *
ferry_xml_attribute(const xmlNode *node, const char *name)
{
    return node ? take(xmlGetNoNsProp(node, BAD_CAST name)) : NULL;
}

bool
ferry_xml_attribute_is(const xmlNode *node, const char *name, const char *value)
{
    g_autofree char *found = ferry_xml_attribute(node, name);
    return g_strcmp0(found, value) == 0;
}

char *
ferry_xml_text(const xmlNode *node)
{
    if (!node)
        return NULL;
    g_autofree char *text = take(xmlNodeGetContent(node));
    return text && *text != '\0' ? g_steal_pointer(&text) : NULL;
}

/* libvirt's scaled integers: "k" and "KiB" are 1024, "KB" is 1000. */
static bool
unit_factor(const char *unit, guint64 *ret_factor)
{
    static const char prefixes[] = "KMGTPE";
    if (g_ascii_strcasecmp(unit, "b") == 0 || g_ascii_strcasecmp(unit, "byte") == 0 ||
        g_ascii_strcasecmp(unit, "bytes") == 0) {
        *ret_factor = 1;
        return true;
    }
    const char *prefix = strchr(prefixes, g_ascii_toupper(unit[0]));
    if (unit[0] == '\0' || !prefix)
        return false;
    bool decimal = g_ascii_strcasecmp(unit + 1, "b") == 0;
    if (!decimal && unit[1] != '\0' && g_ascii_strcasecmp(unit + 1, "ib") != 0)
        return false;
    *ret_factor = 1;
    for (const char *at = prefixes; at <= prefix; at++)
        *ret_factor *= decimal ? 1000 : 1024;
    return true;
}

/* Returns: NULL, or why @text is no number of bytes. */
static const char *
scale(const char *text, const char *unit, guint64 *ret_bytes)
{
    guint64 number = 0;
    guint64 factor = 1;
    if (!g_ascii_string_to_unsigned(text, 10, 0, G_MAXUINT64, &number, NULL))
        return "it holds no number";
    if (!unit_factor(unit, &factor))
        return "its unit is not known";
    if (!g_uint64_checked_mul(&number, number, factor))
        return "its number is too large";
    *ret_bytes = number;
    return NULL;
}

bool
ferry_xml_bytes(const xmlNode *node, const char *default_unit, guint64 *value, GError **error)
{
    if (!node)
        return true;
    g_autofree char *text = take(xmlNodeGetContent(node));
    g_autofree char *unit = ferry_xml_attribute(node, "unit");
    const char *why = scale(g_strstrip(text), unit ? unit : default_unit, value);
    return !why || refuse(error, (const char *)node->name, why);
}

bool
ferry_xml_attribute_bytes(
    const xmlNode *node, const char *name, const char *default_unit, guint64 *value, GError **error)
{
    g_autofree char *text = ferry_xml_attribute(node, name);
    g_autofree char *unit = ferry_xml_attribute(node, "unit");
    if (!text)
        return true;
    const char *why = scale(text, unit ? unit : default_unit, value);
    return !why || refuse(error, (const char *)node->name, why);
}

xmlDoc *
ferry_xml_new(const char *root)
{
    xmlDoc *document = xmlNewDoc(BAD_CAST "1.0");
    xmlDocSetRootElement(document, xmlNewNode(/* ns= */ NULL, BAD_CAST root));
    return document;
}

xmlNode *
ferry_xml_add(xmlNode *node, const char *name, const char *text)
{
    return xmlNewTextChild(node, /* ns= */ NULL, BAD_CAST name, BAD_CAST text);
}

void
ferry_xml_set(xmlNode *node, const char *name, const char *value)
{
    if (value)
        xmlSetProp(node, BAD_CAST name, BAD_CAST value);
    else
        xmlUnsetProp(node, BAD_CAST name);
}

void
ferry_xml_remove(xmlNode *node)
{
    xmlUnlinkNode(node);
    xmlFreeNode(node);
}

char *
ferry_xml_dump(const xmlNode *node)
{
    g_autoptr(FerryXmlBuffer) buffer = xmlBufferCreate();
    /* libxml2 2.9 takes neither argument as const and changes neither. */
    xmlNodeDump(buffer, node->doc, (xmlNode *)node, /* level= */ 0, /* format= */ 1);
    return g_strdup((const char *)xmlBufferContent(buffer));
}
