/* firmware-digest.h: which build of a firmware a file holds. Threads: any but main; reads the file.
 */
#pragma once

/** Returns: (transfer full) (nullable): SHA-256 of the regular file at @path, in hexadecimal; NULL
 * where it cannot be read, or is too long for one. */
char *ferry_firmware_digest(const char *path);
