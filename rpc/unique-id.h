/* unique-id.h: names of messages as oslo makes them. Any thread. */
#pragma once

/** Returns: (transfer full): 32 lowercase hexadecimal digits of a random UUID. */
char *ferry_unique_id_new(void);
