/* Typed parameters: they are no secret of libvirt's, so they are made here as it makes them. */
#include "config.h"

#include "fake-libvirt-private.h"

#include <stdlib.h>
#include <string.h>

void
fake_params_reset(void)
{
}

static virTypedParameterPtr
find(virTypedParameterPtr params, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(params[i].field, name) == 0)
            return &params[i];
    return NULL;
}

static virTypedParameterPtr
add(virTypedParameterPtr *params, int *count, int *capacity, const char *name, int type)
{
    fake_forget_error();
    if (*count == *capacity) {
        *capacity = *capacity * 2 + 1;
        *params = g_realloc_n(*params, (gsize)*capacity, sizeof **params);
    }

    virTypedParameterPtr added = &(*params)[(*count)++];

    memset(added, 0, sizeof *added);
    added->type = type;
    g_strlcpy(added->field, name, sizeof added->field);
    return added;
}

int
virTypedParamsAddString(
    virTypedParameterPtr *params, int *count, int *capacity, const char *name, const char *value)
{
    add(params, count, capacity, name, VIR_TYPED_PARAM_STRING)->value.s = g_strdup(value);
    return 0;
}

int
virTypedParamsAddULLong(virTypedParameterPtr *params,
                        int *count,
                        int *capacity,
                        const char *name,
                        unsigned long long value)
{
    add(params, count, capacity, name, VIR_TYPED_PARAM_ULLONG)->value.ul = value;
    return 0;
}

int
virTypedParamsAddInt(
    virTypedParameterPtr *params, int *count, int *capacity, const char *name, int value)
{
    add(params, count, capacity, name, VIR_TYPED_PARAM_INT)->value.i = value;
    return 0;
}

int
virTypedParamsGetULLong(virTypedParameterPtr params,
                        int count,
                        const char *name,
                        unsigned long long *value)
{
    virTypedParameterPtr found = find(params, count, name);

    fake_forget_error();
    if (found && found->type != VIR_TYPED_PARAM_ULLONG)
        return fake_refuse(VIR_ERR_INVALID_ARG, "'%s' is of another type", name);
    if (found)
        *value = found->value.ul;
    return found != NULL;
}

int
virTypedParamsGetInt(virTypedParameterPtr params, int count, const char *name, int *value)
{
    virTypedParameterPtr found = find(params, count, name);

    fake_forget_error();
    if (found && found->type != VIR_TYPED_PARAM_INT)
        return fake_refuse(VIR_ERR_INVALID_ARG, "'%s' is of another type", name);
    if (found)
        *value = found->value.i;
    return found != NULL;
}

void
virTypedParamsFree(virTypedParameterPtr params, int count)
{
    for (int i = 0; i < count; i++)
        if (params[i].type == VIR_TYPED_PARAM_STRING)
            g_free(params[i].value.s);
    g_free(params);
}
