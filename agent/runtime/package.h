/* package.h: what a person types to install something on this host. Any thread. */
#pragma once

/** @debian, @fedora: what it is called there. Returns: (transfer full): the command. */
char *ferry_package_command(const char *debian, const char *fedora);
