/* space-book.h: what is still to be written to the file systems of this host, counted for each.
 *
 * A book that one thread fills and reads. Looks at the file system, opens nothing.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* What one file system must take. Sums stop at the largest number. */
typedef struct {
    dev_t device;
    char *directory;    /* a folder in it, for statvfs() and for people */
    guint64 now_bytes;  /* when the images arrive as they are */
    guint64 full_bytes; /* when the guests have filled them */
} FerrySpaceDemand;

typedef struct FerrySpaceBook FerrySpaceBook;

FerrySpaceBook *ferry_space_book_new(void);
void ferry_space_book_free(FerrySpaceBook *book);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FerrySpaceBook, ferry_space_book_free)

/**
 * ferry_space_book_add:
 * @path: absolute; the file and its folders need not exist yet
 * @now_bytes, @full_bytes: what the file shall have allocated; what it has already is taken off
 */
void
ferry_space_book_add(FerrySpaceBook *book, const char *path, guint64 now_bytes, guint64 full_bytes);

/** Returns: what the file at @path has allocated; 0 where it is none, or is not on @device. */
guint64 ferry_space_allocated_at(const char *path, dev_t device);

guint ferry_space_book_count(const FerrySpaceBook *book);

/** Returns: (transfer none): the demand at @index, in the order of first mention. */
const FerrySpaceDemand *ferry_space_book_get(const FerrySpaceBook *book, guint index);

/** Returns: (transfer none) (nullable): what the file system @device must take. */
const FerrySpaceDemand *ferry_space_book_find(const FerrySpaceBook *book, dev_t device);

/* How much there is on a file system, and who wants how much of it. */
typedef struct {
    guint64 available_bytes;
    guint64 kept_free_bytes; /* the configuration's reserved_bytes */
    guint64 others_bytes;    /* promised to others */
    guint64 wanted_bytes;
} FerrySpaceQuestion;

/** Returns: true when what is wanted fits beside what is kept free and promised. Pure. */
bool ferry_space_fits(const FerrySpaceQuestion *question);
