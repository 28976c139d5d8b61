/* methods-quarantine.h: the methods about source disks that were put aside. As methods.h says. */
#pragma once

#include "methods.h"

json_t *ferry_method_list_quarantined_disks(const FerryMethodContext *context,
                                            FerryRequest *request,
                                            GError **error);
json_t *ferry_method_restore_quarantined_disks(const FerryMethodContext *context,
                                               FerryRequest *request,
                                               GError **error);
json_t *ferry_method_delete_quarantined_disks(const FerryMethodContext *context,
                                              FerryRequest *request,
                                              GError **error);
