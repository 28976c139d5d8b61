/* report.h: the report of an ended migration, as record and event carry it. Pure. */
#pragma once

#include <jansson.h>

#include "journal/record.h"
#include "model/instance.h"
#include "source/transfer.h"

/** Returns: (transfer full): what the transfer showed, kept in the record until the report. */
json_t *ferry_source_report_transfer(const FerryTransferResult *result);

/**
 * ferry_source_report_make:
 * @record: its report holds the transfer's and the destination's part
 * @instance: (nullable): NULL when it failed before it was described
 * @steps: (transfer none): the journal's steps
 * Returns: (transfer full): {"steps", "downtime_ms", "moved_bytes", "disk_phase_ms",
 * "memory_phase_ms", "total_ms", "storage_strategy", "offline", "disks": [{target, path, format,
 * capacity_bytes, allocation_before_bytes, allocation_after_bytes}]}
 */
json_t *
ferry_source_report_make(const FerryRecord *record, const FerryInstance *instance, json_t *steps);
