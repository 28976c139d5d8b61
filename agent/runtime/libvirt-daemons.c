#include "config.h"

#include "runtime/libvirt-daemons.h"

#include <glib.h>

/* Each version of clang-format lays braces in macros out another way. */
/* clang-format off */
#define IN_BOTH(text) {text, text}
/* clang-format on */

/* [fault][modular]; units, sockets and logs are named as the daemons are. */
static const char *const hints[FERRY_LIBVIRT_FAULTS][2] = {
    [FERRY_LIBVIRT_IS_AWAY] = {"Look whether libvirtd runs on that host (systemctl status "
                               "libvirtd), and whether the agent's user may connect to it",
                               "Look whether virtqemud runs on that host (systemctl status "
                               "virtqemud.socket virtqemud), and whether the agent's user may "
                               "connect to it"},
    [FERRY_LIBVIRT_IS_SILENT] = {"Look whether libvirtd and the instances' QEMU answer (virsh "
                                 "list, virsh domstats)",
                                 "Look whether virtqemud and the instances' QEMU answer (virsh "
                                 "list, virsh domstats)"},
    [FERRY_LIBVIRT_CANNOT_READ] = {"Look whether it is there, and whether libvirtd may read it",
                                   "Look whether it is there, and whether virtstoraged may read "
                                   "it"},
    [FERRY_LIBVIRT_REFUSES] = {"The logs of libvirtd and of QEMU on both hosts tell more of what "
                               "libvirt said (journalctl -u libvirtd, /var/log/libvirt/qemu/)",
                               "The logs of virtqemud, virtstoraged and QEMU on both hosts tell "
                               "more of what libvirt said (journalctl -u virtqemud -u "
                               "virtstoraged, /var/log/libvirt/qemu/)"},
    [FERRY_LIBVIRT_FAR_IS_AWAY] =
        IN_BOTH("Look whether libvirtd, or virtqemud and virtproxyd, run there and answer"),
    [FERRY_LIBVIRT_FAR_IS_CLOSED] =
        IN_BOTH("Let libvirt listen there (libvirtd-tls.socket, or virtproxyd-tls.socket; -tcp for "
                "tcp), or set live_migration_scheme to what it listens for"),
    [FERRY_LIBVIRT_FAR_IS_LOST] = IN_BOTH("Look at the link, and at libvirtd, or virtproxyd and "
                                          "virtstoraged, on the destination"),
};

bool
ferry_libvirt_is_modular(const char *folder)
{
    g_autofree char *socket = g_build_filename(folder, "virtqemud-sock", NULL);

    return g_file_test(socket, G_FILE_TEST_EXISTS);
}

const char *
ferry_libvirt_hint_for(FerryLibvirtFault fault, bool modular)
{
    g_return_val_if_fail((unsigned)fault < FERRY_LIBVIRT_FAULTS, NULL);
    return hints[fault][modular ? 1 : 0];
}

const char *
ferry_libvirt_hint(FerryLibvirtFault fault)
{
    return ferry_libvirt_hint_for(fault, ferry_libvirt_is_modular(FERRY_LIBVIRT_SOCKETS));
}
