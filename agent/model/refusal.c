#include "config.h"

#include "model/refusal.h"

#include <glib.h>
#include <string.h>

/* The first that fits: what is more exact stands before. The words are English: libvirtd speaks the
 * language of its unit, which has none. */
static const struct {
    const char *words;
    const char *hint;
} table[] = {
    {"Permission denied",
     "Give QEMU's user on the destination the right to that file (user and group in "
     "/etc/libvirt/qemu.conf; AppArmor and SELinux may forbid it, too: journalctl -k there)"},
    {"Address already in use", "Free that port on the destination, or let libvirt choose it "
                               "(autoport='yes'; another port for a serial port)"},
    {"Cannot assign requested address",
     "Let the display or serial port listen at 0.0.0.0, :: or 127.0.0.1: the address is the "
     "source's own"},
    {"Unable to find an unused port",
     "Widen the range on the destination (migration_port_min and _max, remote_display_port_min and "
     "_max in /etc/libvirt/qemu.conf), or wait until other migrations are over"},
    {"Cannot get interface MTU", "Make the bridge on the destination"},
    {"Network not found", "Define and start the network there: virsh net-define, net-start"},
    {"is not active", "Start it there: virsh net-start"},
    {"no nwfilter with matching name", "Define the filter there: virsh nwfilter-define"},
    {"Secret not found",
     "Define it there with the same UUID and value: virsh secret-define, secret-set-value"},
    {"No such file or directory",
     "Make that file or folder on the destination, or take what names it out of the definition"},
    {"does not provide required features",
     "Choose a host with the same or a newer CPU, or give the domain a CPU model that both have"},
    {"guest CPU doesn't match specification",
     "Choose a host with the same or a newer CPU, or give the domain a CPU model that both have"},
    {"Does not support machine type",
     "The check \"machine\" says which types that host has: give the instance one of them (virsh "
     "edit), and move it after its next cold boot"},
    {"spice graphics are not supported",
     "Install SPICE for the destination's QEMU (Debian 13 and newer: qemu-system-modules-spice), "
     "or "
     "change the device (virsh edit) and start the instance anew"},
    {"video model 'qxl'", "Install SPICE for the destination's QEMU (Debian 13 and newer: "
                          "qemu-system-modules-spice), or "
                          "change the device (virsh edit) and start the instance anew"},
    {"missing backend for pool type",
     "Install that backend there, which is a package of its own since Debian 13: "
     "libvirt-daemon-driver-storage-logical, -disk and so on, as the pool's type is"},
    {"is not supported by this QEMU binary",
     "Install what the destination's QEMU lacks, or change the device (virsh edit) and start the "
     "instance anew"},
    {"not supported in this QEMU binary",
     "Install what the destination's QEMU lacks, or change the device (virsh edit) and start the "
     "instance anew"},
    {"unsupported configuration",
     "Change what libvirt names (virsh edit) and start the instance anew, or install on the "
     "destination what it lacks"},
    {"Target domain", "The destination's libvirt reads the definition in another way: use hosts "
                      "of one release, or change what it names (virsh edit)"},
    {"cannot allocate memory", "Free memory on the destination, or choose another host"},
    {"Cannot allocate memory", "Free memory on the destination, or choose another host"},
    {"No route to host", "Open TCP 49152 to 49215 of the destination for the source's host"},
    {"Connection refused", "Open TCP 49152 to 49215 of the destination for the source's host"},
    {"Connection timed out", "Open TCP 49152 to 49215 of the destination for the source's host"},
    {"process exited while connecting to monitor",
     "The end of the message is QEMU's own word; all of it is in /var/log/libvirt/qemu/ on the "
     "destination, in the log of the instance"},
};

const char *
ferry_refusal_hint(const char *sentence)
{
    for (gsize i = 0; i < G_N_ELEMENTS(table); i++)
        if (strstr(sentence, table[i].words))
            return table[i].hint;
    return NULL;
}
