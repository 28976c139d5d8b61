/* tenant.c: what lives beside the counter in a guest that has an agent: file systems and qemu-ga.
 *
 * /init (counter.c) starts it and waits for its end. It mounts each virtio disk that holds an ext4
 * file system, starts qemu-ga on the guest's virtio-serial port, and ends.
 *
 * Kernel command line: ferry.filesystems (how many to wait for); ferry.mute_agent=1 puts one that
 * is asked and never answers in the place of qemu-ga: it says "ferry agent was asked" on the
 * console. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 200, PAUSE_MS = 50 };

static char command_line[4096];

static void
read_command_line(void)
{
    int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, command_line, sizeof command_line - 1);

    command_line[length > 0 ? length : 0] = '\0';
    close(fd);
}

static int
option(const char *name)
{
    const char *at = strstr(command_line, name);

    return at && at[strlen(name)] == '=' ? atoi(at + strlen(name) + 1) : 0;
}

static void
rest(void)
{
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_MS * 1000000L}, NULL);
}

/* A disk without a file system is refused by the kernel, and belongs to the counter. */
static int
mount_all(bool *mounted)
{
    int count = 0;

    for (int i = 0; i < 26; i++) {
        char device[] = "/dev/vdX", folder[] = "/mnt/vdX";
        device[7] = folder[7] = (char)('a' + i);

        mkdir(folder, 0700);
        mounted[i] = mounted[i] || mount(device, folder, "ext4", 0, NULL) == 0;
        count += mounted[i];
    }
    return count;
}

static void
mount_file_systems(int expected)
{
    bool mounted[26] = {false};
    int count = 0;

    for (int tries = 0; tries < TRIES && count < expected; tries++) {
        count = mount_all(mounted);
        if (count < expected) {
            rest();
        }
    }
    if (count < expected) {
        dprintf(2, "ferry fault: %d file systems expected, %d mounted\n", expected, count);
    }
}

/* The kernel names the ports by number; udev, which would give them their own names, is not
 * here. */
static bool
find_port(char *path, size_t size)
{
    struct dirent **entries;
    int count = scandir("/dev", &entries, NULL, alphasort);

    for (int i = 0; i < count; i++) {
        if (strncmp(entries[i]->d_name, "vport", 5) == 0) {
            snprintf(path, size, "/dev/%s", entries[i]->d_name);
            return true;
        }
    }
    return false;
}

static void
be_mute(const char *port)
{
    char question;
    int fd = open(port, O_RDWR | O_CLOEXEC);

    for (;;) {
        if (fd < 0 || read(fd, &question, 1) <= 0) {
            rest();
        } else if (question == '\n') {
            dprintf(2, "ferry agent was asked\n");
        }
    }
}

static void
be_agent(void)
{
    char port[300];
    int tries = 0;

    while (!find_port(port, sizeof port) && tries++ < TRIES) {
        rest();
    }
    if (option("ferry.mute_agent")) {
        be_mute(port);
    }
    execl("/usr/sbin/qemu-ga", "qemu-ga", "-m", "virtio-serial", "-p", port, "-t", "/run", NULL);
    dprintf(2, "ferry fault: qemu-ga: %s\n", strerror(errno));
    _exit(1);
}

int
main(void)
{
    mkdir("/mnt", 0700);
    mkdir("/run", 0700);
    read_command_line();
    mount_file_systems(option("ferry.filesystems"));
    if (fork() == 0) {
        be_agent();
    }
    return 0;
}
