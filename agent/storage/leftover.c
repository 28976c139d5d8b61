#include "config.h"

#include "storage/leftover.h"

#include "ferry/error.h"
#include "ferry/json.h"
#include "files/own-file.h"
#include "journal/identities.h"
#include "journal/record.h"
#include "model/allowed-destination.h"
#include "model/paths.h"
#include "peer/location.h"
#include "runtime/fault-point.h"
#include "storage/nvram-path.h"
#include "virt/domain.h"
#include "virt/pool.h"
#include "virt/volume.h"

/* --- what was left ---------------------------------------------------------------------------- */

/* Noted before it left, or now. */
static bool
is_noted(const FerryOwnFile *file, GError **error)
{
    g_autoptr(GError) why = NULL;

    switch (ferry_own_file_look(file, &why)) {
    case FERRY_OWN_FILE_OURS:
        return true;
    case FERRY_OWN_FILE_UNKNOWN:
    case FERRY_OWN_FILE_GONE:
        return ferry_own_file_note(file, error);
    case FERRY_OWN_FILE_FOREIGN:
        break;
    }
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
}

bool
ferry_leftover_note(const FerryArrival *departure, const char *path, GError **error)
{
    const FerryAgent *agent = departure->agent;
    g_auto(GStrv) folders = ferry_nvram_folders(agent);
    g_auto(FerryImage) image = {0};
    g_autofree char *resolved = NULL;

    if (!ferry_path_check(path, (const char *const *)folders, &resolved, error) ||
        !ferry_virt_image_info(departure->connection, resolved, "raw", &image, error))
        return false;

    const FerryOwnFile file = {.agent = agent,
                               .migration_id = departure->migration_id,
                               .path = resolved,
                               .allowed_paths = (const char *const *)folders};

    return !image.fingerprint ||
           (is_noted(&file, error) &&
            ferry_journal_leftover_add(agent->journal, resolved, departure->instance_uuid,
                                       departure->migration_id, image.fingerprint, error));
}

/* Returns: (transfer full): under which name the journal has what the instance left at @path: a
 * folder may have become a link since, or a link a folder. */
static char *
noted_path(const FerryAgent *agent, const char *path, const char *uuid)
{
    g_autoptr(GPtrArray) paths = ferry_journal_leftover_paths(agent->journal, uuid, NULL);

    for (guint i = 0; paths && i < paths->len; i++)
        if (ferry_path_is_same(g_ptr_array_index(paths, i), path))
            return g_strdup(g_ptr_array_index(paths, i));
    return g_strdup(path);
}

/* An agent of before noted the fingerprint alone, which still has to be the same. */
static bool
is_still_there(const FerryAgent *agent, const FerryLeftover *leftover, const char *path)
{
    g_auto(GStrv) folders = ferry_nvram_folders(agent);
    g_autoptr(GError) why = NULL;
    const FerryOwnFile file = {.agent = agent,
                               .migration_id = leftover->migration_id,
                               .path = path,
                               .noted_as = leftover->path,
                               .allowed_paths = (const char *const *)folders};
    FerryOwnFileSeen seen = ferry_own_file_look(&file, &why);

    return seen == FERRY_OWN_FILE_OURS || seen == FERRY_OWN_FILE_UNKNOWN;
}

/* Returns: (transfer full) (nullable): what the instance left at @path, if that is there and
 * unchanged, and no instance names it. */
static FerryLeftover *
find(const FerryAgent *agent, virConnectPtr connection, const char *path, const char *uuid)
{
    g_autofree char *user = NULL;
    g_auto(FerryImage) image = {0};
    g_autofree char *noted = noted_path(agent, path, uuid);
    g_autoptr(FerryLeftover) leftover =
        ferry_journal_leftover_find(agent->journal, noted, uuid, NULL);
    bool found = leftover && is_still_there(agent, leftover, path) &&
                 ferry_virt_image_info(connection, path, "raw", &image, NULL) &&
                 g_strcmp0(leftover->fingerprint, image.fingerprint) == 0 &&
                 !ferry_virt_path_is_used(connection, path, uuid, &user);

    return found ? g_steal_pointer(&leftover) : NULL;
}

bool
ferry_leftover_may_replace(const FerryAgent *agent,
                           virConnectPtr connection,
                           const char *path,
                           const char *instance_uuid)
{
    g_autoptr(FerryLeftover) leftover = find(agent, connection, path, instance_uuid);

    return leftover != NULL;
}

/* --- where no file may be renamed ------------------------------------------------------------- */

/* Returns: (transfer full) (nullable): where the instance went when it left the file; where that is
 * long forgotten, from where it is said to come. */
static char *
host_of_instance(const FerryArrival *arrival, const FerryLeftover *leftover)
{
    const FerryAgent *agent = arrival->agent;
    g_autoptr(FerryRecord) away =
        ferry_journal_get(agent->journal, leftover->migration_id, FERRY_ROLE_SOURCE, NULL);
    g_autoptr(FerryRecord) back = away ? NULL
                                       : ferry_journal_get(agent->journal, arrival->migration_id,
                                                           FERRY_ROLE_DESTINATION, NULL);

    if (away)
        return g_strdup(away->destination);
    return back && ferry_destination_is_allowed(agent->config, back->source)
               ? g_strdup(back->source)
               : NULL;
}

/* Shut off it is somewhere, too. */
static bool
is_elsewhere(const FerryArrival *arrival, const FerryLeftover *leftover)
{
    g_autofree char *host = host_of_instance(arrival, leftover);

    if (!host)
        return false;

    g_auto(FerryLocation) found = ferry_location_find(arrival->agent, host, arrival->instance_uuid);

    return g_strcmp0(found.host, arrival->agent->config->host) != 0 &&
           (found.observed == FERRY_OBSERVED_SHUT_OFF ||
            ferry_observed_state_may_run(found.observed));
}

static bool
delete_at_once(const FerryArrival *arrival,
               const FerryLeftover *leftover,
               const FerryOwnFile *file,
               GError **error)
{
    FerryJournal *journal = arrival->agent->journal;

    if (!is_elsewhere(arrival, leftover)) {
        ferry_set_error(error, FERRY_ERROR_DESTINATION_DISK_EXISTS,
                        "Give the agent's user write access to its folder, so that it can be set "
                        "aside, or move it away by hand",
                        "The file '%s', which the instance left behind when it moved away, may be "
                        "all that is left of it: no host shows the instance",
                        file->path);
        return false;
    }
    g_message("Replacing '%s', which the instance left behind when it moved away", file->path);
    return ferry_own_file_delete(file, arrival->connection, error) &&
           ferry_journal_aside_forget(journal, arrival->migration_id, file->path, error) &&
           ferry_journal_leftover_forget(journal, file->path, error);
}

/* --- setting aside ---------------------------------------------------------------------------- */

/* What it is, and then that it is going to be renamed. */
static bool
note_aside(const FerryLeftover *leftover, const FerryOwnFile *file, GError **error)
{
    FerryJournal *journal = file->agent->journal;
    FerryFileIdentity identity = {0};
    bool is_known = false;

    if (!ferry_journal_identity_get(journal, leftover->migration_id, file->path, &identity,
                                    &is_known, error))
        return false;
    return (is_known ? ferry_journal_identity_put(journal, file->migration_id, file->noted_as,
                                                  &identity, error)
                     : ferry_own_file_note(file, error)) &&
           ferry_journal_aside_add(journal, file->migration_id, file->path, file->noted_as, error);
}

/* What follows knows it by the name that it has now. */
static bool
note_name(const FerryArrival *arrival,
          const FerryLeftover *leftover,
          const FerryOwnFile *file,
          GError **error)
{
    FerryJournal *journal = arrival->agent->journal;
    FerryFileIdentity identity = {0};
    bool is_known = false;

    if (g_strcmp0(leftover->path, file->path) == 0)
        return true;
    return ferry_journal_identity_get(journal, leftover->migration_id, leftover->path, &identity,
                                      &is_known, error) &&
           (!is_known || ferry_journal_identity_put(journal, leftover->migration_id, file->path,
                                                    &identity, error)) &&
           ferry_journal_leftover_add(journal, file->path, arrival->instance_uuid,
                                      leftover->migration_id, leftover->fingerprint, error) &&
           ferry_journal_leftover_forget(journal, leftover->path, error);
}

static bool
set_aside(const FerryArrival *arrival,
          const FerryLeftover *leftover,
          const FerryOwnFile *file,
          GError **error)
{
    bool is_forbidden = false;
    g_autoptr(GError) why = NULL;

    if (!note_name(arrival, leftover, file, error) || !note_aside(leftover, file, error))
        return false;
    ferry_fault_point("aside", "begin");
    if (!ferry_own_file_rename(file, file->noted_as, &is_forbidden, &why)) {
        if (is_forbidden)
            return delete_at_once(arrival, leftover, file, error);
        g_propagate_error(error, g_steal_pointer(&why));
        return false;
    }
    ferry_fault_point("aside", "end");
    g_message("Migration '%s': '%s', which the instance left behind when it moved away, is '%s' "
              "until it has come",
              file->migration_id, file->path, file->noted_as);
    ferry_virt_folder_refresh(arrival->connection, file->path);
    return true;
}

bool
ferry_leftover_set_aside(const FerryArrival *arrival,
                         const char *path,
                         bool *ret_ours,
                         GError **error)
{
    g_autoptr(FerryLeftover) leftover =
        find(arrival->agent, arrival->connection, path, arrival->instance_uuid);
    g_autofree char *aside = g_strdup_printf("%s.left-%s", path, arrival->migration_id);
    g_auto(GStrv) folders = ferry_nvram_folders(arrival->agent);
    const FerryOwnFile file = {.agent = arrival->agent,
                               .migration_id = arrival->migration_id,
                               .path = path,
                               .noted_as = aside,
                               .allowed_paths = (const char *const *)folders};

    *ret_ours = leftover != NULL;
    return !leftover || set_aside(arrival, leftover, &file, error);
}

/* --- the end of the arrival ------------------------------------------------------------------- */

static bool
is_gone(const FerryOwnFile *file, const char *path)
{
    FerryOwnFile at_home = *file;

    at_home.path = path;
    at_home.noted_as = file->path;
    return ferry_own_file_look(file, NULL) == FERRY_OWN_FILE_GONE &&
           ferry_own_file_look(&at_home, NULL) != FERRY_OWN_FILE_OURS;
}

/* @folders: where it may lie, the caller's. */
static FerryOwnFile
aside_file(const FerryArrival *arrival, const FerryAside *aside, GStrv folders)
{
    return (FerryOwnFile){
        .agent = arrival->agent,
        .migration_id = arrival->migration_id,
        .path = aside->aside_path,
        .allowed_paths = (const char *const *)folders,
    };
}

/* Returns: whether the arrival has no more to do with it. */
static bool
put_back(const FerryOwnFile *file, const char *path, json_t *kept)
{
    g_autoptr(GError) why = NULL;

    if (is_gone(file, path)) {
        g_warning("Migration '%s': '%s', which was set aside, is gone", file->migration_id,
                  file->path);
        return true;
    }
    if (ferry_own_file_rename(file, path, NULL, &why))
        return true;
    json_array_append_new(kept, json_pack("{s:s, s:o, s:o}", "kind", "leftover", "path",
                                          ferry_json_text(file->path), "why",
                                          ferry_json_text(why->message)));
    return false;
}

bool
ferry_leftover_put_back(const FerryArrival *arrival, json_t *kept, GError **error)
{
    FerryJournal *journal = arrival->agent->journal;
    g_auto(GStrv) folders = ferry_nvram_folders(arrival->agent);
    g_autoptr(GPtrArray) asides = ferry_journal_asides(journal, arrival->migration_id, error);

    for (guint i = 0; asides && i < asides->len; i++) {
        const FerryAside *aside = g_ptr_array_index(asides, i);
        const FerryOwnFile file = aside_file(arrival, aside, folders);

        if (!put_back(&file, aside->path, kept))
            continue;
        ferry_virt_folder_refresh(arrival->connection, aside->path);
        if (!ferry_journal_aside_forget(journal, arrival->migration_id, aside->path, error))
            return false;
    }
    return asides != NULL;
}

bool
ferry_leftover_delete_asides(const FerryArrival *arrival, GError **error)
{
    FerryJournal *journal = arrival->agent->journal;
    g_auto(GStrv) folders = ferry_nvram_folders(arrival->agent);
    g_autoptr(GPtrArray) asides = ferry_journal_asides(journal, arrival->migration_id, error);

    for (guint i = 0; asides && i < asides->len; i++) {
        const FerryAside *aside = g_ptr_array_index(asides, i);
        const FerryOwnFile file = aside_file(arrival, aside, folders);
        g_autoptr(GError) why = NULL;

        if (!ferry_virt_path_check_unused(arrival->connection, file.path, &why) ||
            !ferry_own_file_delete(&file, arrival->connection, &why))
            g_warning("Migration '%s': what the instance left behind stays: %s", file.migration_id,
                      why->message);
        if (!ferry_journal_leftover_forget(journal, aside->path, error) ||
            !ferry_journal_aside_forget(journal, file.migration_id, aside->path, error))
            return false;
    }
    return asides != NULL;
}
