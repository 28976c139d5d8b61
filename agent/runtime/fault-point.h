/* fault-point.h: named places where a test build can be made to die, as by kill -9, or to wait.
 *
 * Compiled in by --enable-fault-points only; a product build has no trace of it. Then
 * VIRT_FERRY_FAULT_POINT=PLACE:MOMENT kills the process at the first visit, and with
 * VIRT_FERRY_FAULT_POINTS=FOLDER a visit waits as long as the file FOLDER/PLACE:MOMENT exists,
 * after making FOLDER/PLACE:MOMENT.reached: so a test does what it wants at exactly this place.
 */
#pragma once

#ifdef FERRY_FAULT_POINTS
/** @place: e.g. "transfer"; @moment: "begin" or "end". */
void ferry_fault_point(const char *place, const char *moment);
#else
#define ferry_fault_point(place, moment) ((void)0)
#endif
