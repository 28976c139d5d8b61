/* report.h: prints a migration's record to standard output, for a person. Main thread. */
#pragma once

#include <jansson.h>

/** Prints ids, hosts, status, what it waits for, limits and times of @record, one fact a line, then
 * what ferry_report_print_outcome() prints. */
void ferry_report_print_record(const json_t *record);

/** Prints the error, the durations, the bytes moved, the steps and the disks, as far as @record has
 * them. @record: a record, or the payload of the last event. */
void ferry_report_print_outcome(const json_t *record);
