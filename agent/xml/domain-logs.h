/* domain-logs.h: files that libvirt makes for a domain when it starts or arrives. Pure, any
 * thread. */
#pragma once

/** Returns: (transfer full) (nullable): the paths that serial ports, consoles and channels of the
 * domain @xml write to or log to, each once, as the document has them; NULL where that cannot be
 * read. Firmware's variables are not among them (instance.h has those). */
char **ferry_domxml_log_files(const char *xml);
