/* amqp-table.h: entries of AMQP's tables. Pure; texts are borrowed, not copied. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "amqp-auto.h"

amqp_table_entry_t ferry_amqp_bool(const char *key, bool value);
amqp_table_entry_t ferry_amqp_text(const char *key, const char *value);
amqp_table_entry_t ferry_amqp_table(const char *key, amqp_table_t value);

/** An AMQP long-int, the type that Python's clients choose for such numbers. The type matters: the
 * broker refuses to declare a queue again with a number of another type. */
amqp_table_entry_t ferry_amqp_number(const char *key, gint32 value);
