/* partial-file.h: the file in which something that is carried here grows, until it gets its name.
 *
 * It is noted as what it is when it is made (files/own-file.h), and only that file is opened again,
 * emptied and renamed. One that an agent of before made, which noted no such thing, is taken over
 * as it is: its source writes into it.
 *
 * Threads: any but main; blocks for the disk. Who may do what is import.c's to decide.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "journal/imports.h"
#include "model/carried-file.h"
#include "runtime/agent.h"

/** Notes that the partial file of @row will be made: what is there before is a stranger's. */
bool ferry_partial_intend(const FerryAgent *agent,
                          const FerryImport *row,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Returns: true when what is at row->partial is what the migration of @row made. */
bool ferry_partial_is_made_by(const FerryAgent *agent, const FerryImport *row);

/**
 * ferry_partial_begin:
 * Opens the partial file of @row, or makes it.
 * @file: what is to arrive; the partial file may be read by whoever may read the source's, as far
 *   as that is told
 * @maker: (nullable): the row whose migration made what is there; NULL: none is there
 * @ret_offset: what has arrived: a copy goes on there
 * @error: FERRY_ERROR_DESTINATION_DISK_EXISTS; FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR: no space for
 *   the rest of @file beside [storage] reserved_bytes; FERRY_ERROR_PATH_NOT_ALLOWED;
 *   FERRY_ERROR_MIGRATION_ERROR
 */
bool ferry_partial_begin(const FerryAgent *agent,
                         const FerryImport *row,
                         const FerryCarriedFile *file,
                         const FerryImport *maker,
                         guint64 *ret_offset,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Throws away what has arrived. */
bool ferry_partial_empty(const FerryAgent *agent,
                         const FerryImport *row,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Brings all of it to disk, notes its inode in @row, and what it is under the name that it is
 * going to have. @read_only: nobody may write to it any more, and those may read it who may on the
 * source; otherwise it is its owner's alone. */
bool ferry_partial_settle(const FerryAgent *agent, FerryImport *row, bool read_only, GError **error)
    G_GNUC_WARN_UNUSED_RESULT;

/** Gives it its name, never another file's. */
bool ferry_partial_give_name(const FerryAgent *agent,
                             const FerryImport *row,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** Sets FERRY_ERROR_DESTINATION_DISK_EXISTS for @path; @how the file there differs. Returns
 * false. */
bool ferry_partial_refuse_other(const char *path, const char *how, GError **error);
