#include "config.h"

#include "config-check.h"

#include "ferry/bus.h"
#include "ferry/config.h"
#include "ferry/error.h"
#include "ferry/json.h"
#include "model/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of the unit; who tries a configuration is mostly root. */
#define SERVICE_USER "virt-ferry"
#define BROKER_MS 5000
#define URL_KEY "transport_url"

typedef struct {
    const FerryConfig *config;
    const char *user;     /* as whom is looked */
    const char *file;     /* the last one, which wins */
    const char *standard; /* that is read where none is named */
    bool broker_named;
    guint mistakes;
    guint warnings;
} Check;

G_GNUC_PRINTF(2, 0)
static void
complain(const char *kind, const char *format, va_list arguments)
{
    g_autofree char *text = g_strdup_vprintf(format, arguments);

    fprintf(stderr, "%s: %s\n", kind, text);
}

G_GNUC_PRINTF(2, 3)
static void
add_mistake(Check *self, const char *format, ...)
{
    va_list arguments;

    self->mistakes++;
    va_start(arguments, format);
    complain("error", format, arguments);
    va_end(arguments);
}

G_GNUC_PRINTF(2, 3)
static void
warn(Check *self, const char *format, ...)
{
    va_list arguments;

    self->warnings++;
    va_start(arguments, format);
    complain("warning", format, arguments);
    va_end(arguments);
}

static void
print_row(const char *name, const char *value, const char *state)
{
    printf("%-11s %s%s%s\n", name, value, state ? ": " : "", state ? state : "");
}

/* Returns: (transfer full): "FILE:LINE: [section] key", or the key where it has its default. */
static char *
name_of(const Check *self, const char *section, const char *key)
{
    const char *origin = ferry_config_origin(self->config, section, key);

    return origin ? g_strdup_printf("%s: [%s] %s", origin, section, key)
                  : g_strdup_printf("[%s] %s (its default)", section, key);
}

/* What is said while the files are read. */
static void
take_warning(const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
    if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING))
        warn(data, "%s", message);
}

static void
tell_mistakes(Check *self, const GPtrArray *mistakes)
{
    for (guint i = 0; i < mistakes->len; i++) {
        const GError *mistake = g_ptr_array_index(mistakes, i);

        add_mistake(self, "%s", mistake->message);
    }
}

/* --- the user --------------------------------------------------------------------------------- */

static void
become_service_user(Check *self)
{
    const struct passwd *user = geteuid() == 0 ? getpwnam(SERVICE_USER) : NULL;

    self->user = g_get_user_name();
    if (!user)
        return;
    if (initgroups(user->pw_name, user->pw_gid) != 0 || setegid(user->pw_gid) != 0 ||
        seteuid(user->pw_uid) != 0)
        warn(self, "Cannot look as user '%s': %s", SERVICE_USER, g_strerror(errno));
    else
        self->user = SERVICE_USER;
}

static bool
may(const char *path, int mode)
{
    return faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0;
}

static bool
is_missing(const char *path)
{
    return !may(path, F_OK) && errno == ENOENT;
}

/* --- files ------------------------------------------------------------------------------------ */

/* A file that must be there and readable. */
static void
check_file(Check *self, const char *section, const char *key, const char *path)
{
    if (!path || may(path, R_OK))
        return;
    int failure = errno;
    g_autofree char *name = name_of(self, section, key);
    add_mistake(self, "%s: user '%s' cannot read '%s': %s", name, self->user, path,
                g_strerror(failure));
}

static bool
is_readable_by_all(const char *path)
{
    struct stat status;

    return path && stat(path, &status) == 0 && (status.st_mode & S_IROTH) != 0;
}

static bool
holds_password(const Check *self, const char *file)
{
    const char *origin = ferry_config_origin(self->config, "DEFAULT", URL_KEY);

    return origin && g_str_has_prefix(origin, file) && origin[strlen(file)] == ':' &&
           strchr(self->config->messaging->transport_url, '@');
}

static void
check_secrets(Check *self, const char *const *files)
{
    const char *key = self->config->messaging->ssl_key_file;

    for (; *files; files++) {
        if (holds_password(self, *files) && is_readable_by_all(*files))
            warn(self,
                 "'%s' holds the broker's password, and everybody can read it. Give it mode 0640 "
                 "and the group '%s'",
                 *files, SERVICE_USER);
    }
    if (is_readable_by_all(key))
        warn(self, "'%s' is a private key, and everybody can read it", key);
}

static void
check_files(Check *self, const char *const *files)
{
    const FerryMessagingOptions *messaging = self->config->messaging;
    g_autofree char *list = files[0] ? g_strjoinv(", ", (char **)files) : NULL;

    print_row("Files", list ? list : "none", NULL);
    if (!list)
        warn(self, "There is no configuration file (%s): everything has its default",
             self->standard);
    for (const char *const *file = files; *file; file++) {
        if (!may(*file, R_OK))
            add_mistake(self,
                        "user '%s' cannot read '%s': %s. Give it the group '%s' and mode 0640",
                        self->user, *file, g_strerror(errno), SERVICE_USER);
    }
    if (messaging->ssl) {
        check_file(self, "oslo_messaging_rabbit", "ssl_ca_file", messaging->ssl_ca_file);
        check_file(self, "oslo_messaging_rabbit", "ssl_cert_file", messaging->ssl_cert_file);
        check_file(self, "oslo_messaging_rabbit", "ssl_key_file", messaging->ssl_key_file);
    }
}

/* --- folders ---------------------------------------------------------------------------------- */

/* Returns: why @path cannot be used as a folder of ours to write in; NULL: it can. */
static const char *
refusal_of_folder(const char *path)
{
    if (!g_file_test(path, G_FILE_TEST_IS_DIR))
        return "it is no folder";
    return may(path, R_OK | W_OK | X_OK) ? NULL : g_strerror(errno);
}

static void
check_state(Check *self)
{
    const char *path = self->config->state_path;
    g_autofree char *parent = g_path_get_dirname(path);
    const char *refusal = refusal_of_folder(is_missing(path) ? parent : path);

    print_row("State", path,
              refusal            ? "not usable"
              : is_missing(path) ? "not there yet; it is made at the start"
                                 : "usable");
    if (refusal) {
        g_autofree char *name = name_of(self, "DEFAULT", "state_path");

        add_mistake(self, "%s: user '%s' cannot use '%s': %s", name, self->user, path, refusal);
    }
}

static void
check_log(Check *self)
{
    const char *path = self->config->log_file;

    if (!path) {
        print_row("Log", "standard error, or systemd's journal", NULL);
        return;
    }
    g_autofree char *folder = g_path_get_dirname(path);
    bool usable = may(path, W_OK) || (errno == ENOENT && may(folder, W_OK | X_OK));
    int failure = errno;
    print_row("Log", path, usable ? "usable" : "not usable");
    if (!usable) {
        g_autofree char *name = name_of(self, "DEFAULT", "log_file");

        add_mistake(self, "%s: user '%s' cannot write '%s': %s", name, self->user, path,
                    g_strerror(failure));
    }
}

/* libvirt writes most images; the agent those that it brings itself. */
static void
check_images_in(Check *self, const char *name, const char *path)
{
    const char *const itself[] = {path, NULL};
    bool missing = is_missing(path);
    const char *refusal = missing ? NULL : refusal_of_folder(path);
    g_autoptr(GError) stranger = NULL;

    if (!ferry_path_check_folder(path, itself, NULL, &stranger)) {
        print_row("Images", path, "not followed");
        warn(self, "%s: no image can be moved to or from '%s'. %s. %s", name, path,
             stranger->message, ferry_error_hint(stranger));
        return;
    }
    print_row("Images", path, missing ? "not there" : (refusal ? "not writable" : "usable"));
    if (missing)
        warn(self,
             "%s: there is no folder '%s'. It is made when an image arrives in it, if the user "
             "may make it",
             name, path);
    else if (refusal)
        warn(self,
             "%s: user '%s' cannot write in '%s' (%s): bases, media, seeds and images of "
             "instances that are shut off cannot arrive there",
             name, self->user, path, refusal);
}

static void
check_images(Check *self)
{
    g_autofree char *name = name_of(self, "storage", "allowed_paths");

    for (char **path = self->config->allowed_paths; *path; path++)
        check_images_in(self, name, *path);
}

/* --- the broker ------------------------------------------------------------------------------- */

/* Returns: (transfer full): @url without passwords. The last "@" ends the credentials. */
static char *
without_passwords(const char *url)
{
    g_autoptr(GRegex) password = g_regex_new(":[^/,]*@", 0, 0, NULL);

    return g_regex_replace_literal(password, url, -1, 0, "@", 0, NULL);
}

static void
drop(const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
}

/* @bus: (nullable). */
static bool
reach(FerryBus *bus, GError **error)
{
    if (!bus)
        return false;
    ferry_bus_start(bus);
    return ferry_bus_wait_ready(bus, BROKER_MS, error);
}

static void
check_broker(Check *self)
{
    if (!self->broker_named) {
        print_row("Broker", "not named yet", NULL);
        return;
    }
    g_autoptr(GError) error = NULL;
    g_autofree char *shown = without_passwords(self->config->messaging->transport_url);
    g_autoptr(FerryBus) bus = ferry_bus_new(self->config->messaging, "virt-ferryd", NULL, &error);
    bool reached = reach(bus, &error);
    const char *reason =
        reached ? NULL : ferry_json_get_string(ferry_error_details(error), "reason");
    bool refused = g_strcmp0(reason, "refused") == 0;

    print_row("Broker", shown,
              reached   ? "reached"
              : !bus    ? "not usable"
              : refused ? "refuses"
                        : "not reached");
    if (reached)
        return;
    const char *hint = ferry_error_hint(error);
    g_autofree char *name = name_of(self, "DEFAULT", URL_KEY);
    /* What is wrong with a URL is told of by its key. */
    const char *message = g_str_has_prefix(error->message, URL_KEY ": ")
                              ? error->message + strlen(URL_KEY ": ")
                              : error->message;
    g_autofree char *text = g_strconcat(name, ": ", message, hint ? ". " : "", hint, NULL);
    if (refused || !bus)
        add_mistake(self, "%s", text);
    else
        warn(self, "%s", text);
}

/* --- all of it ------------------------------------------------------------------------------- */

static void
look(Check *self, const char *const *files)
{
    check_secrets(self, files);
    become_service_user(self);
    print_row("Agent", self->config->host, NULL);
    print_row("Looked as", self->user, NULL);
    check_files(self, files);
    check_broker(self);
    check_state(self);
    check_log(self);
    check_images(self);
}

/* Returns: (transfer full): such as "2 warnings". */
static char *
count(guint number, const char *what)
{
    return g_strdup_printf("%u %s%s", number, what, number == 1 ? "" : "s");
}

static void
sum_up(const Check *self)
{
    g_autofree char *mistakes = count(self->mistakes, "mistake");
    g_autofree char *warnings = count(self->warnings, "warning");

    if (self->mistakes > 0)
        printf("The configuration cannot be used: %s, %s.\n", mistakes, warnings);
    else if (!self->broker_named)
        printf("The configuration has no mistake, with %s, but the service waits until a broker is "
               "named: set transport_url in section [DEFAULT] of %s.\n",
               warnings, self->file);
    else
        printf("The configuration is good, with %s; this agent is '%s'.\n", warnings,
               self->config->host);
}

bool
ferry_config_check(const char *const *files, const char *standard)
{
    g_autoptr(GPtrArray) mistakes = g_ptr_array_new_with_free_func((GDestroyNotify)g_error_free);
    Check self = {.standard = standard};

    (void)g_log_set_default_handler(take_warning, &self);
    g_autoptr(FerryConfig) config = ferry_config_read(files, mistakes);
    /* The broker's threads tell what is told here anyway. */
    (void)g_log_set_default_handler(drop, NULL);
    self.config = config;
    self.file = *files ? files[g_strv_length((char **)files) - 1] : "a configuration file";
    self.broker_named = config && ferry_config_origin(config, "DEFAULT", URL_KEY);
    tell_mistakes(&self, mistakes);
    if (config)
        look(&self, files);
    sum_up(&self);
    return self.mistakes == 0;
}
