/* config-sections.h: the tables of all sections and keys. A test compares the documentation with
 * them. */
#pragma once

#include <stdbool.h>

#include "setting.h"

/* [oslo_messaging_rabbit] and the messaging part of [DEFAULT]; offsets in FerryMessagingOptions. */
extern const FerrySetting ferry_rabbit_settings[];
extern const FerrySetting ferry_transport_settings[];

typedef struct {
    const char *name; /* NULL ends the list; a section may have two tables */
    const FerrySetting *settings;
    bool messaging; /* offsets are in FerryMessagingOptions, not in FerryConfig */
    bool own;       /* used by virt-ferry alone: an unknown key is a mistake */
} FerryConfigSection;

extern const FerryConfigSection ferry_config_sections[];

/* The words of a value, by the enum of config.h; each ends with NULL. */
extern const char *const ferry_timeout_action_names[];
extern const char *const ferry_source_disks_names[];
extern const char *const ferry_disk_writes_names[];
extern const char *const ferry_priority_names[];
