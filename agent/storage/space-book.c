#include "config.h"

#include "storage/space-book.h"

#include <sys/stat.h>

struct FerrySpaceBook {
    GPtrArray *demands; /* FerrySpaceDemand */
};

static void
demand_free(gpointer data)
{
    FerrySpaceDemand *demand = data;

    g_free(demand->directory);
    g_free(demand);
}

FerrySpaceBook *
ferry_space_book_new(void)
{
    FerrySpaceBook *book = g_new0(FerrySpaceBook, 1);

    book->demands = g_ptr_array_new_with_free_func(demand_free);
    return book;
}

void
ferry_space_book_free(FerrySpaceBook *book)
{
    if (!book)
        return;
    g_ptr_array_unref(book->demands);
    g_free(book);
}

/* Sizes come from strangers: sums stop at the largest number instead of turning over. */
static guint64
add(guint64 a, guint64 b)
{
    guint64 sum = 0;

    return g_uint64_checked_add(&sum, a, b) ? sum : G_MAXUINT64;
}

static guint64
without(guint64 whole, guint64 part)
{
    return whole > part ? whole - part : 0;
}

/* Returns: (transfer full): the nearest folder above @path that there is. */
static char *
existing_ancestor(const char *path)
{
    char *directory = g_path_get_dirname(path);

    while (!g_file_test(directory, G_FILE_TEST_IS_DIR) && g_strcmp0(directory, "/") != 0) {
        char *parent = g_path_get_dirname(directory);

        g_free(directory);
        directory = parent;
    }
    return directory;
}

static FerrySpaceDemand *
demand_on(FerrySpaceBook *book, const char *directory)
{
    struct stat status = {0};

    if (stat(directory, &status) < 0)
        return NULL;
    for (guint i = 0; i < book->demands->len; i++) {
        FerrySpaceDemand *demand = g_ptr_array_index(book->demands, i);

        if (demand->device == status.st_dev)
            return demand;
    }

    FerrySpaceDemand *demand = g_new0(FerrySpaceDemand, 1);

    demand->device = status.st_dev;
    demand->directory = g_strdup(directory);
    g_ptr_array_add(book->demands, demand);
    return demand;
}

guint64
ferry_space_allocated_at(const char *path, dev_t device)
{
    struct stat status;

    return lstat(path, &status) == 0 && S_ISREG(status.st_mode) && status.st_dev == device
               ? (guint64)status.st_blocks * 512
               : 0;
}

void
ferry_space_book_add(FerrySpaceBook *book, const char *path, guint64 now_bytes, guint64 full_bytes)
{
    g_autofree char *directory = existing_ancestor(path);
    FerrySpaceDemand *demand = demand_on(book, directory);

    if (!demand)
        return;

    guint64 there = ferry_space_allocated_at(path, demand->device);

    demand->now_bytes = add(demand->now_bytes, without(now_bytes, there));
    demand->full_bytes = add(demand->full_bytes, without(MAX(now_bytes, full_bytes), there));
}

guint
ferry_space_book_count(const FerrySpaceBook *book)
{
    return book->demands->len;
}

const FerrySpaceDemand *
ferry_space_book_get(const FerrySpaceBook *book, guint index)
{
    g_return_val_if_fail(index < book->demands->len, NULL);
    return g_ptr_array_index(book->demands, index);
}

const FerrySpaceDemand *
ferry_space_book_find(const FerrySpaceBook *book, dev_t device)
{
    for (guint i = 0; i < book->demands->len; i++) {
        const FerrySpaceDemand *demand = g_ptr_array_index(book->demands, i);

        if (demand->device == device)
            return demand;
    }
    return NULL;
}

bool
ferry_space_fits(const FerrySpaceQuestion *question)
{
    guint64 taken = add(question->kept_free_bytes, question->others_bytes);

    return add(taken, question->wanted_bytes) <= question->available_bytes;
}
