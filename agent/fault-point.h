/* fault-point.h: named places where a test build can be made to die, as by kill -9.
 *
 * Compiled in by --enable-fault-points only; then VIRT_FERRY_FAULT_POINT=NAME kills the process at
 * the first visit. A product build has no trace of it.
 */
#pragma once

#ifdef FERRY_FAULT_POINTS
/** @place: e.g. "transfer"; @moment: "begin" or "end". */
void ferry_fault_point(const char *place, const char *moment);
#else
#define ferry_fault_point(place, moment) ((void)0)
#endif
