/* report.h: a migration's record for a person: what it is, how it ended, what it took. Main thread;
 * everything goes to standard output. */
#pragma once

#include <jansson.h>

/** Prints who, from where to where and the status, one fact a line; then what
 * ferry_report_print_outcome() prints. @record: a record. */
void ferry_report_print_record(const json_t *record);

/** Prints the error, the times of the steps, the downtime, the bytes moved and the disks, as far as
 * @record, a record or a last event's payload, has them. */
void ferry_report_print_outcome(const json_t *record);
