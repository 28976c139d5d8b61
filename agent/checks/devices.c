#include "config.h"

#include "checks/devices.h"

#include "checks/firmware.h"
#include "checks/look.h"
#include "ferry/error.h"
#include "model/carried-file.h"
#include "model/paths.h"
#include "model/qemu-fault.h"
#include "runtime/bounded-call.h"
#include "runtime/package.h"
#include "virt/auto.h"
#include "virt/host.h"
#include "virt/presence.h"
#include "virt/virt.h"
#include "xml/domain-edit.h"
#include "xml/domain.h"

#include <string.h>

/* --- secrets ---------------------------------------------------------------------------------- */

static void
check_secret(const FerryCheckScene *scene, const FerrySecretNeed *secret)
{
    const char *name = secret->uuid ? secret->uuid : secret->usage;
    g_autoptr(GError) error = NULL;

    switch (ferry_virt_secret_presence(scene->connection, secret->uuid, secret->type, secret->usage,
                                       &error)) {
    case FERRY_PRESENCE_ACTIVE:
        ferry_checks_add(scene->checks, "secret", FERRY_CHECK_PASS, NULL,
                         "The secret '%s' of %s is here", name, secret->user);
        break;
    case FERRY_PRESENCE_INACTIVE:
        ferry_checks_add(scene->checks, "secret", FERRY_CHECK_FAIL,
                         "Give it its value there: virsh secret-set-value",
                         "The secret '%s' of %s has no value on this host", name, secret->user);
        break;
    case FERRY_PRESENCE_ABSENT:
        ferry_checks_add(scene->checks, "secret", FERRY_CHECK_FAIL,
                         "Define it there with the same UUID and value: virsh secret-define, "
                         "secret-set-value",
                         "This host has no secret '%s', which %s needs", name, secret->user);
        break;
    case FERRY_PRESENCE_UNKNOWN:
        ferry_checks_add_error(scene->checks, "secret", error);
        break;
    }
}

/* --- network filters -------------------------------------------------------------------------- */

static void
check_filter(const FerryCheckScene *scene, const char *name)
{
    g_autoptr(GError) error = NULL;
    FerryPresence presence = ferry_virt_filter_presence(scene->connection, name, &error);

    if (presence == FERRY_PRESENCE_UNKNOWN)
        ferry_checks_add_error(scene->checks, "network", error);
    else if (presence == FERRY_PRESENCE_ABSENT)
        ferry_checks_add(scene->checks, "network", FERRY_CHECK_FAIL,
                         "Define it there: virsh nwfilter-dumpxml here, nwfilter-define there",
                         "This host has no network filter '%s'", name);
}

/* --- files of serial ports, consoles and channels --------------------------------------------- */

static const char *const looked_into[] = {"/var/log", "/var/lib/libvirt", "/run", "/dev", NULL};

/* The instance brings its own folder with its images. */
static bool
is_made(const FerryCheckScene *scene, const char *folder)
{
    g_autoptr(GPtrArray) files = ferry_carried_files_of(scene->arrives);
    bool made = false;

    for (guint i = 0; i < files->len && !made; i++) {
        const FerryCarriedFile *file = g_ptr_array_index(files, i);
        g_autofree char *own = g_path_get_dirname(file->path);

        made = strcmp(own, folder) == 0;
    }
    for (guint i = 0; i < scene->arrives->disks->len && !made; i++) {
        const FerryDisk *disk = g_ptr_array_index(scene->arrives->disks, i);
        g_autofree char *own = disk->migrate ? g_path_get_dirname(disk->source) : NULL;

        made = g_strcmp0(own, folder) == 0;
    }
    return made;
}

static void
check_path(const FerryCheckScene *scene, const FerryDevicePath *need)
{
    g_autofree char *wanted = need->itself ? g_strdup(need->path) : g_path_get_dirname(need->path);

    if (!g_path_is_absolute(need->path) || (!need->itself && is_made(scene, wanted)))
        return;

    FerryPathSeen seen = ferry_check_look(scene, wanted, looked_into);

    if (seen == FERRY_PATH_HIDDEN)
        ferry_checks_add(scene->checks, "folder", FERRY_CHECK_WARN,
                         "See that both hosts have it, with the same rights",
                         "Whether '%s' is on this host, for %s, was not looked at", wanted,
                         need->user);
    else if (seen == FERRY_PATH_ABSENT)
        ferry_checks_add(scene->checks, "folder", FERRY_CHECK_FAIL,
                         need->itself ? "Make it there, or take the device out"
                                      : "Make the folder there, with the rights that it has here",
                         "'%s' is not on this host; %s needs it (%s)", wanted, need->user,
                         need->path);
}

/* --- the firmware's variables ----------------------------------------------------------------- */

/* libvirt makes their file of it, and QEMU then writes what it brought. */
static void
check_template(const FerryCheckScene *scene)
{
    const char *path = scene->parts->nvram_template;

    if (!path || !scene->instance->nvram || ferry_instance_is_shut_off(scene->instance) ||
        ferry_path_presence(scene->instance->nvram) == FERRY_PATH_THERE)
        return;

    g_autofree char *hint = ferry_firmware_hint(path);

    if (ferry_path_presence(path) == FERRY_PATH_ABSENT)
        ferry_checks_add(scene->checks, "nvram", FERRY_CHECK_FAIL, hint,
                         "The template of the firmware's variables '%s' is not on this host", path);
}

/* --- what QEMU has ---------------------------------------------------------------------------- */

/* What newer QEMUs have in packages of their own, which are not installed with it. Returns:
 * (transfer full) */
static char *
hint_for_kind(const FerryDeviceKind *kind)
{
    g_autofree char *command = NULL;

    if (strcmp(kind->value, "qxl") == 0 || strncmp(kind->value, "spice", strlen("spice")) == 0)
        command = ferry_package_command("qemu-system-modules-spice",
                                        "qemu-device-display-qxl qemu-ui-spice-core "
                                        "qemu-char-spice");
    return g_strconcat(command ? command : "Install what its QEMU lacks there",
                       ", or change the device (virsh edit) and start the instance anew", NULL);
}

static void
check_kind(const FerryCheckScene *scene,
           const FerryDomainCapabilities *able,
           const FerryDeviceKind *kind)
{
    const char *const *values = ferry_domain_capabilities_values(able, kind->element, kind->list);

    if (!values || g_strv_contains(values, kind->value))
        return;

    g_autofree char *known = g_strjoinv(", ", (char **)values);
    g_autofree char *hint = hint_for_kind(kind);

    ferry_checks_add(scene->checks, "devices", FERRY_CHECK_FAIL, hint,
                     "This host has no %s of the kind '%s' for such a guest (it has: %s)",
                     kind->element, kind->value, known[0] ? known : "none");
}

static void
check_kinds(const FerryCheckScene *scene)
{
    g_autoptr(FerryDomainCapabilities) able =
        ferry_virt_host_capabilities(scene->connection, scene->instance);

    for (guint i = 0; able && i < scene->parts->kinds->len; i++)
        check_kind(scene, able, g_ptr_array_index(scene->parts->kinds, i));
}

static void
check_iothread(const FerryCheckScene *scene)
{
    g_autofree char *version = ferry_virt_host_qemu_version(scene->connection);

    if (scene->parts->scsi_iothread && scene->instance == scene->arrives &&
        !ferry_instance_is_shut_off(scene->instance) &&
        ferry_qemu_fault_meets_scsi(scene->instance, version))
        ferry_checks_add(scene->checks, "devices", FERRY_CHECK_WARN,
                         "Its next cold boot brings the iothread back",
                         "The instance arrives with its virtio-scsi controller outside of its "
                         "iothread: QEMU %s here cannot take a disk into one",
                         version);
}

/* --- libvirt's own word ----------------------------------------------------------------------- */

/* On a warm host it takes some milliseconds. */
#define QUESTION_LIMIT_S 4

typedef struct {
    const FerryAgent *agent;
    char *xml;
} Question;

static void
question_free(gpointer data)
{
    Question *self = data;

    g_free(self->xml);
    g_free(self);
}

static bool
run_question(gpointer data, GError **error)
{
    const Question *self = data;
    g_autoptr(virConnect) connection = ferry_virt_connect(self->agent->virt, error);

    return connection && ferry_virt_host_takes(connection, self->xml, error);
}

/* libvirt, which is root, runs the emulator that a document names, and reaches for devices of the
 * host: a stranger's document must name none. */
static bool
may_be_asked_about(const char *xml)
{
    g_autoptr(FerryInstance) read = xml ? ferry_domxml_parse(xml, NULL) : NULL;

    return read && read->obstacles->len == 0 &&
           (!read->emulator || ferry_virt_host_may_ask_emulator(read->emulator));
}

void
ferry_check_definition(const FerryCheckScene *scene)
{
    if (!may_be_asked_about(scene->instance->domain_xml))
        return;

    g_autoptr(GError) error = NULL;
    Question *question = g_new0(Question, 1);
    FerryDetachedWork work = {
        .thread = "vf-native", .func = run_question, .data = question, .free_data = question_free};

    question->agent = scene->agent;
    /* libvirt would look for the volumes, which come later. What cannot be read has been said. */
    question->xml = ferry_domxml_name_volumes_by_path(scene->instance->domain_xml, NULL);
    question = ferry_bounded_call(&work, QUESTION_LIMIT_S, "libvirt's look at the definition",
                                  scene->agent->stopping, &error);
    if (question) {
        question_free(question);
        ferry_checks_add(scene->checks, "devices", FERRY_CHECK_PASS, NULL,
                         "libvirt would start such a guest here");
    } else if (g_error_matches(error, FERRY_ERROR, FERRY_ERROR_MIGRATION_PRE_CHECK_ERROR)) {
        ferry_checks_add_error(scene->checks, "devices", error);
    } else {
        ferry_checks_add(scene->checks, "devices", FERRY_CHECK_WARN, ferry_error_hint(error), "%s",
                         error->message);
    }
}

void
ferry_check_devices(const FerryCheckScene *scene)
{
    for (guint i = 0; i < scene->needs->secrets->len; i++)
        check_secret(scene, g_ptr_array_index(scene->needs->secrets, i));
    for (guint i = 0; i < scene->parts->filters->len; i++)
        check_filter(scene, g_ptr_array_index(scene->parts->filters, i));
    for (guint i = 0; i < scene->parts->paths->len; i++)
        check_path(scene, g_ptr_array_index(scene->parts->paths, i));
    check_template(scene);
    check_kinds(scene);
    check_iothread(scene);
}
