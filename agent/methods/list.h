/* list.h: the functions behind methods.c's table, each named after its method. Private to
 * agent/methods/; contract and threads: methods.h.
 */
#pragma once

#include "methods/methods.h"

/* methods/host.c: what a host and its instances are. */
json_t *ferry_method_describe_host(const FerryMethodContext *context,
                                   FerryRequest *request,
                                   GError **error);
json_t *ferry_method_describe_instance(const FerryMethodContext *context,
                                       FerryRequest *request,
                                       GError **error);

/* methods/destination.c: the orders of a destination. */
json_t *ferry_method_check_can_live_migrate_destination(const FerryMethodContext *context,
                                                        FerryRequest *request,
                                                        GError **error);
json_t *ferry_method_pre_live_migration(const FerryMethodContext *context,
                                        FerryRequest *request,
                                        GError **error);
json_t *
ferry_method_prepare_file(const FerryMethodContext *context, FerryRequest *request, GError **error);
json_t *
ferry_method_publish_file(const FerryMethodContext *context, FerryRequest *request, GError **error);
json_t *ferry_method_post_live_migration_at_destination(const FerryMethodContext *context,
                                                        FerryRequest *request,
                                                        GError **error);
json_t *ferry_method_rollback_live_migration_at_destination(const FerryMethodContext *context,
                                                            FerryRequest *request,
                                                            GError **error);

/* methods/source.c: the orders of a source. */
json_t *ferry_method_check_can_live_migrate_source(const FerryMethodContext *context,
                                                   FerryRequest *request,
                                                   GError **error);

/** `live_migrate_instance`, too: that one prepares the destination itself. */
json_t *ferry_method_live_migration(const FerryMethodContext *context,
                                    FerryRequest *request,
                                    GError **error);
json_t *ferry_method_live_migration_abort(const FerryMethodContext *context,
                                          FerryRequest *request,
                                          GError **error);
json_t *ferry_method_live_migration_force_complete(const FerryMethodContext *context,
                                                   FerryRequest *request,
                                                   GError **error);
json_t *ferry_method_resolve_migration(const FerryMethodContext *context,
                                       FerryRequest *request,
                                       GError **error);

/* methods/records.c: what the journal knows. */
json_t *ferry_method_get_migration(const FerryMethodContext *context,
                                   FerryRequest *request,
                                   GError **error);
json_t *ferry_method_list_migrations(const FerryMethodContext *context,
                                     FerryRequest *request,
                                     GError **error);

/* methods/quarantine.c: source disks that were put aside. */
json_t *ferry_method_list_quarantined_disks(const FerryMethodContext *context,
                                            FerryRequest *request,
                                            GError **error);
json_t *ferry_method_restore_quarantined_disks(const FerryMethodContext *context,
                                               FerryRequest *request,
                                               GError **error);
json_t *ferry_method_delete_quarantined_disks(const FerryMethodContext *context,
                                              FerryRequest *request,
                                              GError **error);
