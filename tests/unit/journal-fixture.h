/* journal-fixture.h: a journal of a test's own, with events on, and what its tests do all the
 * time. */
#pragma once

#include "journal/journal.h"

#define UUID "11111111-2222-3333-4444-555555555555"
#define OTHER_UUID "66666666-7777-8888-9999-000000000000"

typedef struct {
    char *folder;
    FerryJournal *journal;
    guint wakes; /* how often the outbox was woken */
} Fixture;

void set_up(Fixture *fixture, gconstpointer user_data);
void tear_down(Fixture *fixture, gconstpointer user_data);

/** Another agent opens what is on disk. */
void reopen(Fixture *fixture);

FerryRecord *make_record(const char *migration_id, FerryRole role, const char *uuid);

/** Returns: (transfer full): the record as it was added. */
FerryRecord *
add_record(Fixture *fixture, const char *migration_id, FerryRole role, const char *uuid);

/** Saves with the event of the status. */
void save_as(Fixture *fixture, FerryRecord *record, FerryStatus status);

/** Returns: (transfer full): the events that wait. */
GPtrArray *peek(Fixture *fixture);

/** Returns: the row of a new creation. */
gint64 create(
    Fixture *fixture, const char *id, FerryCreationKind kind, const char *pool, const char *path);

#define ADD(path, func) g_test_add(path, Fixture, NULL, set_up, func, tear_down)
