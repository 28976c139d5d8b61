/* unique-id.h: ids of messages, in the form that oslo.messaging uses. Any thread. */
#pragma once

/** Returns: (transfer full): 32 lowercase hexadecimal digits of a random UUID. */
char *ferry_unique_id_new(void);
