/* document.h: XML documents of libvirt, read and made. Pure, any thread.
 *
 * What is read may come from a stranger: no DTD, no entities, no network, a bounded size. Elements
 * are found as libvirt finds them: by name, in no namespace. Only the agent's *xml.c include this.
 */
#pragma once

#include <glib.h>
#include <libxml/tree.h>
#include <stdbool.h>

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)

/**
 * ferry_xml_parse:
 * @root: the name that the document's element must have
 * @max_bytes: longer documents are refused unread
 * @error: FERRY_ERROR_INVALID_REQUEST: too long, not well-formed, a DTD, or another root
 * Returns: (transfer full): a document without blank text between elements.
 */
xmlDoc *ferry_xml_parse(const char *xml, const char *root, gsize max_bytes, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer none) (nullable): the first element below @node (nullable) called @name. */
xmlNode *ferry_xml_child(const xmlNode *node, const char *name);

/** Returns: (transfer none) (nullable): the next element beside @node with the same name. */
xmlNode *ferry_xml_next(const xmlNode *node);

/** Returns: (transfer full) (nullable): the attribute; NULL when absent or @node is NULL. */
char *ferry_xml_attribute(const xmlNode *node, const char *name);

/** Returns: true when the attribute is there and has that value. */
bool ferry_xml_attribute_is(const xmlNode *node, const char *name, const char *value);

/** Returns: (transfer full) (nullable): the text in @node; NULL when @node is NULL or empty. */
char *ferry_xml_text(const xmlNode *node);

/**
 * ferry_xml_bytes:
 * @node: (nullable): an element such as <memory unit='KiB'>; NULL leaves *@value alone
 * @default_unit: libvirt's for this element: "KiB" for memory, "bytes" for storage
 * @error: FERRY_ERROR_INVALID_REQUEST naming the element: no number, unknown unit, overflow
 */
bool ferry_xml_bytes(const xmlNode *node, const char *default_unit, guint64 *value, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/** The same of an attribute, as in <page size='2048' unit='KiB'>; one that is absent leaves *@value
 * alone. */
bool ferry_xml_attribute_bytes(const xmlNode *node,
                               const char *name,
                               const char *default_unit,
                               guint64 *value,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: (transfer full): a document with one element, @root. */
xmlDoc *ferry_xml_new(const char *root);

/** Adds an element below @node, with @text (nullable) escaped as needed. Returns: it. */
xmlNode *ferry_xml_add(xmlNode *node, const char *name, const char *text);

/** Sets an attribute of @node, escaped as needed; NULL takes it away. */
void ferry_xml_set(xmlNode *node, const char *name, const char *value);

/** Takes @node, and what is below, out of its document and frees it. */
void ferry_xml_remove(xmlNode *node);

/** Returns: (transfer full): @node and what is below as text, indented, without declaration. */
char *ferry_xml_dump(const xmlNode *node);
