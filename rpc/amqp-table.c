#include "config.h"

#include "amqp-table.h"

static amqp_table_entry_t
entry(const char *key, amqp_field_value_kind_t kind)
{
    return (amqp_table_entry_t){
        .key = amqp_cstring_bytes(key),
        .value = {.kind = (uint8_t)kind},
    };
}

amqp_table_entry_t
ferry_amqp_bool(const char *key, bool value)
{
    amqp_table_entry_t made = entry(key, AMQP_FIELD_KIND_BOOLEAN);

    made.value.value.boolean = value;
    return made;
}

amqp_table_entry_t
ferry_amqp_text(const char *key, const char *value)
{
    amqp_table_entry_t made = entry(key, AMQP_FIELD_KIND_UTF8);

    made.value.value.bytes = amqp_cstring_bytes(value);
    return made;
}

amqp_table_entry_t
ferry_amqp_table(const char *key, amqp_table_t value)
{
    amqp_table_entry_t made = entry(key, AMQP_FIELD_KIND_TABLE);

    made.value.value.table = value;
    return made;
}

amqp_table_entry_t
ferry_amqp_number(const char *key, gint32 value)
{
    amqp_table_entry_t made = entry(key, AMQP_FIELD_KIND_I32);

    made.value.value.i32 = value;
    return made;
}
