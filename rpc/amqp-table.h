/* amqp-table.h: entries of AMQP's tables. Pure; texts are borrowed, not copied. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "amqp-auto.h"

amqp_table_entry_t ferry_amqp_bool(const char *key, bool value);
amqp_table_entry_t ferry_amqp_text(const char *key, const char *value);
amqp_table_entry_t ferry_amqp_table(const char *key, amqp_table_t value);

/** An AMQP long-int, as Python's clients choose for numbers of its size; a queue that is declared
 * with another type of number is another queue to the broker. */
amqp_table_entry_t ferry_amqp_number(const char *key, gint32 value);
