/* counter.c: what a laboratory guest boots into, and in most of them the only program.
 *
 * It writes numbered sectors, forever: number n goes to slot n % slots of every writable virtio
 * disk, past all caches, is read back, and only then announced on the serial console as
 * "ferry NNNNNNNNNN CCCCCCCC" (C: CRC-32 of the number's digits). What a slot held before must be
 * n - slots: a write that was lost on the way to another host is found by the guest itself, and
 * one older number, chosen by turns, is read again each time. A fault is a line "ferry fault ...".
 *
 * After a cold boot the numbers go on behind the highest one found on the first disk.
 *
 * Kernel command line: ferry.interval_ms, ferry.slots, ferry.start and ferry.stride (bytes on the
 * disk), ferry.disks (how many to wait for), ferry.dirty_mib and ferry.dirty_mib_s (memory to
 * write to and how fast), ferry.dirty_rest_ms (of each ten seconds without that),
 * ferry.write_kib (size of one write to the first disk; 0: none),
 * ferry.write_kib_s (how fast), ferry.write_random, and ferry.write_at_mib and ferry.write_mib
 * (where: apart from the numbers). tests/lab/counting.py knows the same format.
 *
 * Where the initramfs holds a /tenant (tenant.c) it runs first, and what it has mounted is left to
 * it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

enum { SECTOR_BYTES = 512, ALIGNMENT = 4096, DISKS_MAX = 26, MODULES_MAX = 32 };

static const char MAGIC[] = "FERRY-N1";

/* Little-endian on disk, as on the only architecture that boots this. */
typedef struct {
    char magic[8];
    uint64_t number;
    uint32_t disk;
    uint32_t crc; /* of the whole sector with this field zero */
    uint8_t filler[SECTOR_BYTES - 24];
} Sector;

typedef struct {
    char letter;
    int fd;
} Disk;

static Disk disks[DISKS_MAX];
static int disk_count;
static int console = 2;
static char command_line[4096];
static uint64_t slots, start_bytes, stride_bytes;

static uint32_t
crc32(const void *data, size_t length)
{
    const uint8_t *bytes = data;
    uint32_t crc = ~0u;

    for (size_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
        }
    }
    return ~crc;
}

__attribute__((format(printf, 1, 2))) static void
say(const char *format, ...)
{
    char line[256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);

    for (int done = 0; done < length;) {
        ssize_t wrote = write(console, line + done, (size_t)(length - done));
        if (wrote < 0 && errno != EINTR) {
            return;
        }
        done += wrote > 0 ? (int)wrote : 0;
    }
}

static uint64_t
option(const char *name, uint64_t otherwise)
{
    size_t length = strlen(name);

    for (const char *at = command_line; (at = strstr(at, name)) != NULL; at += length) {
        if ((at == command_line || at[-1] == ' ') && at[length] == '=') {
            return strtoull(at + length + 1, NULL, 0);
        }
    }
    return otherwise;
}

static void
pause_ms(uint64_t ms)
{
    struct timespec time = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&time, &time) < 0 && errno == EINTR) {
    }
}

static void
open_console(void)
{
    int fd = open("/dev/ttyS0", O_WRONLY | O_NOCTTY | O_CLOEXEC);
    struct termios settings;

    if (fd < 0) {
        return;
    }
    if (tcgetattr(fd, &settings) == 0) {
        cfmakeraw(&settings);
        tcsetattr(fd, TCSANOW, &settings);
    }
    console = fd;
}

static void
read_command_line(void)
{
    int fd = open("/proc/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, command_line, sizeof command_line - 1);

    command_line[length > 0 ? length : 0] = '\0';
    close(fd);
}

static void
load_module(const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "/modules/%s", name);

    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) < 0) {
        say("ferry fault: module %s: %s\n", name, strerror(errno));
    }
    close(fd);
}

static void
load_modules(void)
{
    struct dirent **entries;
    int count = scandir("/modules", &entries, NULL, alphasort);

    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            load_module(entries[i]->d_name);
        }
    }
}

static void
let_tenant_in(void)
{
    pid_t tenant = access("/tenant", X_OK) == 0 ? fork() : -1;

    if (tenant == 0) {
        execl("/tenant", "tenant", NULL);
        _exit(1);
    }
    if (tenant > 0) {
        waitpid(tenant, NULL, 0);
    }
}

static int
find_disks(void)
{
    int found = 0;

    for (char letter = 'a'; letter <= 'z'; letter++) {
        char path[] = "/dev/vdX";
        path[7] = letter;

        /* One that is mounted cannot be had alone. */
        int fd = open(path, O_RDWR | O_DIRECT | O_EXCL | O_CLOEXEC);
        int readonly = 0;
        if (fd < 0) {
            continue;
        }
        if (ioctl(fd, BLKROGET, &readonly) < 0 || readonly) {
            close(fd);
            continue;
        }
        disks[found++] = (Disk){.letter = letter, .fd = fd};
    }
    return found;
}

static void
wait_for_disks(int expected)
{
    for (int tries = 0; tries < 200; tries++) {
        disk_count = find_disks();
        if (disk_count >= expected) {
            return;
        }
        for (int i = 0; i < disk_count; i++) {
            close(disks[i].fd);
        }
        pause_ms(50);
    }
    say("ferry fault: %d disks expected, %d found\n", expected, disk_count);
}

static off_t
place(uint64_t number)
{
    return (off_t)(start_bytes + number % slots * stride_bytes);
}

static void
fill_sector(Sector *sector, uint64_t number, uint32_t disk)
{
    uint64_t state = number * 0x9e3779b97f4a7c15u + disk + 1;

    memcpy(sector->magic, MAGIC, sizeof sector->magic);
    sector->number = number;
    sector->disk = disk;
    sector->crc = 0;
    for (size_t i = 0; i < sizeof sector->filler; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        sector->filler[i] = (uint8_t)(state >> 32);
    }
    sector->crc = crc32(sector, sizeof *sector);
}

static bool
is_numbered(Sector *sector)
{
    uint32_t told = sector->crc;

    if (memcmp(sector->magic, MAGIC, sizeof sector->magic) != 0) {
        return false;
    }
    sector->crc = 0;
    bool good = crc32(sector, sizeof *sector) == told;
    sector->crc = told;
    return good;
}

static void
expect(const Disk *disk, Sector *buffer, uint64_t number, const char *what)
{
    ssize_t got = pread(disk->fd, buffer, sizeof *buffer, place(number));

    if (got != sizeof *buffer) {
        say("ferry fault: vd%c %" PRIu64 " %s: %s\n", disk->letter, number, what, strerror(errno));
    } else if (!is_numbered(buffer) || buffer->number != number) {
        say("ferry fault: vd%c %" PRIu64 " %s: found %" PRIu64 "\n", disk->letter, number, what,
            is_numbered(buffer) ? buffer->number : 0);
    }
}

static uint64_t
highest_number(const Disk *disk, Sector *buffer)
{
    uint64_t highest = 0;

    for (uint64_t slot = 0; slot < slots; slot++) {
        if (pread(disk->fd, buffer, sizeof *buffer, place(slot)) == sizeof *buffer &&
            is_numbered(buffer) && buffer->number > highest) {
            highest = buffer->number;
        }
    }
    return highest;
}

static void
write_number(const Disk *disk, Sector *buffer, uint64_t number, uint64_t first)
{
    if (number > slots && number - slots >= first) {
        expect(disk, buffer, number - slots, "before overwriting");
    }
    fill_sector(buffer, number, (uint32_t)(disk->letter - 'a'));
    if (pwrite(disk->fd, buffer, sizeof *buffer, place(number)) != sizeof *buffer ||
        fdatasync(disk->fd) < 0) {
        say("ferry fault: vd%c %" PRIu64 " write: %s\n", disk->letter, number, strerror(errno));
        return;
    }
    expect(disk, buffer, number, "after writing");

    uint64_t kept = number - first < slots - 1 ? number - first : slots - 1;
    if (kept > 0) {
        expect(disk, buffer, number - (number * 7919 % kept + 1), "again");
    }
}

static void
count(void)
{
    Sector *buffer = aligned_alloc(ALIGNMENT, ALIGNMENT);
    uint64_t interval_ms = option("ferry.interval_ms", 100);
    uint64_t number = disk_count > 0 ? highest_number(&disks[0], buffer) : 0;
    uint64_t first = number + 1;

    say("ferry starts at %" PRIu64 " on %d disks\n", first, disk_count);
    for (;;) {
        char digits[16];
        number++;
        for (int i = 0; i < disk_count; i++) {
            write_number(&disks[i], buffer, number, first);
        }
        snprintf(digits, sizeof digits, "%010" PRIu64, number);
        say("ferry %s %08" PRIx32 "\n", digits, crc32(digits, strlen(digits)));
        pause_ms(interval_ms);
    }
}

static void
dirty_memory(uint64_t mib, uint64_t mib_s)
{
    size_t length = (size_t)mib << 20;
    uint8_t *memory = mmap(NULL, length, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    uint64_t per_turn = mib_s * 256 / 20;
    uint64_t rest_ms = option("ferry.dirty_rest_ms", 0);

    if (memory == MAP_FAILED) {
        say("ferry fault: no %" PRIu64 " MiB to dirty\n", mib);
        return;
    }
    for (uint64_t page = 0, turn = 1;; turn++) {
        for (uint64_t i = 0; i < per_turn; i++, page++) {
            memory[page * 4096 % length] = (uint8_t)(turn ^ page);
        }
        /* Bursts: so much of each ten seconds is quiet. */
        pause_ms(rest_ms > 0 && turn % ((10000 - rest_ms) / 50) == 0 ? rest_ms : 50);
    }
}

static uint64_t
now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Writes of one size, one behind the other or anywhere, past all caches. What a slow disk keeps it
 * from is not made up for. */
static void
write_disk(uint64_t block, uint64_t bytes_s)
{
    uint64_t begin = option("ferry.write_at_mib", 64) << 20;
    uint64_t blocks = (option("ferry.write_mib", 64) << 20) / block;
    bool anywhere = option("ferry.write_random", 0) != 0;
    uint64_t random = 0x9e3779b97f4a7c15u, turn = 0, due = 0, last = now_ms();
    uint8_t *buffer = aligned_alloc(ALIGNMENT, (block + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);

    for (uint64_t i = 0; i < block; i++) {
        buffer[i] = (uint8_t)(i * 7919 >> 3 | 1);
    }
    for (;;) {
        uint64_t now = now_ms(), most = bytes_s / 4 + block;
        due += (now - last) * bytes_s / 1000;
        due = due < most ? due : most;
        last = now;
        for (; due >= block; due -= block, turn++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            off_t at = (off_t)(begin + (anywhere ? random : turn) % blocks * block);
            memcpy(buffer, &random, sizeof random);
            if (pwrite(disks[0].fd, buffer, block, at) != (ssize_t)block) {
                say("ferry fault: write of %" PRIu64 " bytes: %s\n", block, strerror(errno));
                return;
            }
        }
        pause_ms(20);
    }
}

static void
load_disk(void)
{
    uint64_t block = option("ferry.write_kib", 0) << 10;

    if (block > 0 && disk_count > 0 && fork() == 0) {
        write_disk(block, option("ferry.write_kib_s", 1024) << 10);
        for (;;) {
            pause();
        }
    }
}

int
main(void)
{
    mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
    mount("proc", "/proc", "proc", 0, NULL);
    open_console();
    read_command_line();
    load_modules();
    let_tenant_in();

    slots = option("ferry.slots", 1024);
    start_bytes = option("ferry.start", 1 << 20);
    stride_bytes = option("ferry.stride", SECTOR_BYTES);
    wait_for_disks((int)option("ferry.disks", 1));

    load_disk();
    uint64_t dirty_mib = option("ferry.dirty_mib", 0);
    if (dirty_mib > 0 && fork() == 0) {
        dirty_memory(dirty_mib, option("ferry.dirty_mib_s", dirty_mib));
        for (;;) {
            pause();
        }
    }
    count();
    return 0;
}
