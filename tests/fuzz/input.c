#include "config.h"

#include "input.h"

#include "ferry/error.h"

guint8
ferry_fuzz_take_byte(FerryFuzzInput *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->next++;
}

json_t *
ferry_fuzz_next_answer(const json_t *script, size_t *next, GError **error)
{
    json_t *said = json_array_get(script, (*next)++);
    const json_t *failure = json_object_get(said, "error");

    if (said && !failure)
        return json_incref(said);
    if (failure)
        g_propagate_error(error, ferry_error_from_json(failure));
    else
        ferry_set_error(error, FERRY_ERROR_DESTINATION_UNREACHABLE, NULL, "No answer");
    return NULL;
}
