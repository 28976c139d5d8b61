/* list.h: the functions behind table.c's rows, each named after its method. Private to
 * agent/methods/; contract: FerryMethodFunc in table.h.
 */
#pragma once

#include "methods/call.h"

/* methods/host.c: what a host and its instances are. */
bool ferry_method_ping(FerryMethodCall *call, GError **error);
bool ferry_method_describe_host(FerryMethodCall *call, GError **error);
bool ferry_method_describe_instance(FerryMethodCall *call, GError **error);
bool ferry_method_check_host(FerryMethodCall *call, GError **error);

/* methods/destination.c: the orders of a destination. */
bool ferry_method_check_can_live_migrate_destination(FerryMethodCall *call, GError **error);
bool ferry_method_open_migration_ports(FerryMethodCall *call, GError **error);
bool ferry_method_pre_live_migration(FerryMethodCall *call, GError **error);
bool ferry_method_prepare_file(FerryMethodCall *call, GError **error);
bool ferry_method_renew_images(FerryMethodCall *call, GError **error);
bool ferry_method_get_room(FerryMethodCall *call, GError **error);
bool ferry_method_publish_file(FerryMethodCall *call, GError **error);
bool ferry_method_post_live_migration_at_destination(FerryMethodCall *call, GError **error);
bool ferry_method_rollback_live_migration_at_destination(FerryMethodCall *call, GError **error);

/* methods/source.c: the orders of a source. */
bool ferry_method_check_can_live_migrate_source(FerryMethodCall *call, GError **error);
bool ferry_method_live_migrate_instance(FerryMethodCall *call, GError **error);
bool ferry_method_live_migration(FerryMethodCall *call, GError **error);
bool ferry_method_live_migration_abort(FerryMethodCall *call, GError **error);
bool ferry_method_live_migration_force_complete(FerryMethodCall *call, GError **error);
bool ferry_method_resolve_migration(FerryMethodCall *call, GError **error);

/* methods/records.c: what the journal knows. */
bool ferry_method_get_migration(FerryMethodCall *call, GError **error);
bool ferry_method_list_migrations(FerryMethodCall *call, GError **error);

/* methods/quarantine.c: source disks that were put aside. */
bool ferry_method_list_quarantined_disks(FerryMethodCall *call, GError **error);
bool ferry_method_restore_quarantined_disks(FerryMethodCall *call, GError **error);
bool ferry_method_delete_quarantined_disks(FerryMethodCall *call, GError **error);
