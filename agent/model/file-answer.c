#include "config.h"

#include "model/file-answer.h"

#include "ferry/error.h"
#include "ferry/json.h"

static const char *const states[] = {
    [FERRY_FILE_PRESENT] = "present",
    [FERRY_FILE_WAIT] = "wait",
    [FERRY_FILE_COPY] = "copy",
};

static bool
read_state(const json_t *object, FerryFileState *ret_state)
{
    const char *text = ferry_json_get_string(object, "state");

    for (guint i = 0; i < G_N_ELEMENTS(states); i++) {
        if (g_strcmp0(text, states[i]) == 0) {
            *ret_state = (FerryFileState)i;
            return true;
        }
    }
    return false;
}

FerryFileAnswer *
ferry_file_answer_from_json(const json_t *object, GError **error)
{
    FerryFileState state = FERRY_FILE_WAIT;
    const char *path = ferry_json_get_string(object, "path");
    json_int_t offset = json_integer_value(json_object_get(object, "offset_bytes"));
    bool known = read_state(object, &state);
    bool copied = known && state == FERRY_FILE_COPY;

    if (!known || (copied && (!path || path[0] != '/' || offset < 0))) {
        ferry_set_error(error, FERRY_ERROR_MIGRATION_ERROR, "Look at the destination's version",
                        "The destination's answer about a file makes no sense");
        return NULL;
    }

    FerryFileAnswer *answer = g_new0(FerryFileAnswer, 1);

    answer->state = state;
    answer->path = copied ? g_strdup(path) : NULL;
    answer->offset_bytes = copied ? (guint64)offset : 0;
    return answer;
}

void
ferry_file_answer_free(FerryFileAnswer *answer)
{
    if (!answer)
        return;
    g_free(answer->path);
    g_free(answer);
}
