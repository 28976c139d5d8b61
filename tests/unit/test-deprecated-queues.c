#include "config.h"

#include "rpc/amqp-table.h"
#include "rpc/deprecated-queues.h"

static guint
major_of(const char *product, const char *version)
{
    amqp_table_entry_t entries[] = {ferry_amqp_text("product", product),
                                    ferry_amqp_text("version", version)};
    const amqp_table_t properties = {G_N_ELEMENTS(entries), entries};

    return ferry_rabbitmq_major(&properties);
}

static void
test_major(void)
{
    g_assert_cmpuint(major_of("RabbitMQ", "3.10.8"), ==, 3);
    g_assert_cmpuint(major_of("RabbitMQ", "4.0.5"), ==, 4);
    g_assert_cmpuint(major_of("RabbitMQ", "12.1"), ==, 12);
}

static void
test_strangers(void)
{
    amqp_table_entry_t number = ferry_amqp_number("version", 4);
    amqp_table_entry_t entries[] = {ferry_amqp_text("product", "RabbitMQ"), number};
    const amqp_table_t odd = {G_N_ELEMENTS(entries), entries};

    g_assert_cmpuint(major_of("LavinMQ", "4.0"), ==, 0);
    g_assert_cmpuint(major_of("RabbitMQ", "next"), ==, 0);
    g_assert_cmpuint(ferry_rabbitmq_major(NULL), ==, 0);
    g_assert_cmpuint(ferry_rabbitmq_major(&amqp_empty_table), ==, 0);
    g_assert_cmpuint(ferry_rabbitmq_major(&odd), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/deprecated-queues/major", test_major);
    g_test_add_func("/deprecated-queues/strangers", test_strangers);
    return g_test_run();
}
