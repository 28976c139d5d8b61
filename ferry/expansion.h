/* expansion.h: values of the configuration that name others, as oslo.config has them: $name,
 * ${name}, $section.name, and %(name)s. Pure, any thread.
 */
#pragma once

#include <glib.h>

/** Returns: (transfer none) (nullable): the value of @key in @section as it is written. */
typedef const char *(*FerryExpansionFunc)(const char *section, const char *key, gpointer user_data);

/**
 * ferry_expansion_apply:
 * @section: where @text stands: its keys are looked for before those of [DEFAULT]
 * Returns: (transfer full): @text with the values of what it names. A name that @look_up does not
 * know, or that names itself, stays as it is; "$$" and "\$" are a dollar.
 */
char *ferry_expansion_apply(const char *text,
                            const char *section,
                            FerryExpansionFunc look_up,
                            gpointer user_data);
