#include "config.h"

#include "../../cli/interrupt.h"

static void
test_answers(void)
{
    static const struct {
        const char *answer;
        FerryInterruptEvent event;
    } cases[] = {
        {"a\n", FERRY_INTERRUPT_ABORT},    {" Abort \n", FERRY_INTERRUPT_ABORT},
        {"d", FERRY_INTERRUPT_DETACH},     {"DETACH\r\n", FERRY_INTERRUPT_DETACH},
        {"c\n", FERRY_INTERRUPT_CONTINUE},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        FerryInterruptEvent event = FERRY_INTERRUPT_LEAVE;

        g_assert_true(ferry_interrupt_understand(cases[i].answer, &event));
        g_assert_cmpint(event, ==, cases[i].event);
    }
}

/* Nothing that is not clear may abort a migration. */
static void
test_unclear_answers(void)
{
    static const char *const answers[] = {"", "\n", "y\n", "ab\n", "a d\n", "aa\n", "abort!\n"};

    for (size_t i = 0; i < G_N_ELEMENTS(answers); i++) {
        FerryInterruptEvent event = FERRY_INTERRUPT_LEAVE;

        g_assert_false(ferry_interrupt_understand(answers[i], &event));
        g_assert_cmpint(event, ==, FERRY_INTERRUPT_LEAVE);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/interrupt/answers", test_answers);
    g_test_add_func("/interrupt/unclear", test_unclear_answers);
    return g_test_run();
}
