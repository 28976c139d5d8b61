/* virt-ferryd: the command line of the agent. */
#include "config.h"

#include "config-check.h"
#include "daemon.h"
#include "ferry/bus.h"
#include "ferry/error.h"
#include "ferry/options.h"
#include "runtime/log.h"

#include <locale.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>

#define DEFAULT_CONFIG SYSCONFDIR "/virt-ferry/virt-ferryd.conf"

typedef struct {
    char **config_files;
    gboolean check_config;
    gboolean broker_named;
    gboolean debug;
    gboolean version;
} Options;

static void
print_error(const GError *error)
{
    const char *hint = ferry_error_hint(error);

    fprintf(stderr, "virt-ferryd: %s\n", error->message);
    if (hint)
        fprintf(stderr, "hint: %s\n", hint);
}

static bool
parse_options(int *argc, char ***argv, Options *options, GError **error)
{
    const GOptionEntry entries[] = {
        {"config-file", 'c', 0, G_OPTION_ARG_FILENAME_ARRAY, &options->config_files,
         "Read this file; may be given several times, later files win (default " DEFAULT_CONFIG ")",
         "FILE"},
        {"check-config", 0, 0, G_OPTION_ARG_NONE, &options->check_config,
         "Read the files, say what is wrong, exit 0 or 1", NULL},
        {"broker-named", 0, 0, G_OPTION_ARG_NONE, &options->broker_named,
         "Exit 0 if a file names a broker, else say where and exit 1", NULL},
        {"debug", 'd', 0, G_OPTION_ARG_NONE, &options->debug, "Log in detail", NULL},
        {"version", 0, 0, G_OPTION_ARG_NONE, &options->version, "Print the version", NULL},
        {0},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("- the agent of virt-ferry");

    g_option_context_set_summary(
        context, "Carries running virtual machines between KVM hosts, on orders by message.");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!ferry_options_parse(context, argc, argv, error))
        return false;
    if (*argc > 1) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "Unexpected argument '%s'",
                    (*argv)[1]);
        return false;
    }
    return true;
}

/* Returns: (transfer full): the files to be read. */
static char **
files_to_read(const Options *options)
{
    g_autoptr(GStrvBuilder) files = g_strv_builder_new();

    if (options->config_files)
        g_strv_builder_addv(files, (const char **)options->config_files);
    else if (g_file_test(DEFAULT_CONFIG, G_FILE_TEST_EXISTS))
        g_strv_builder_add(files, DEFAULT_CONFIG);
    return g_strv_builder_end(files);
}

/* The URL is part of the configuration, its grammar the bus'. */
static void
check_url(const FerryConfig *config, GPtrArray *mistakes)
{
    GError *mistake = NULL;
    g_autoptr(FerryBus) bus = ferry_bus_new(config->messaging, "virt-ferryd", NULL, &mistake);
    const char *origin = ferry_config_origin(config, "DEFAULT", "transport_url");

    if (bus)
        return;
    if (origin)
        g_prefix_error(&mistake, "%s: [DEFAULT] ", origin);
    g_ptr_array_add(mistakes, mistake);
}

static void
print_nothing(const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
}

/* Of a service that was just installed: it is not started before somebody has named a broker. What
 * is wrong with a configuration is the start's to say. */
static int
tell_broker_named(const char *const *files)
{
    guint n_files = g_strv_length((char **)files);
    g_autoptr(GPtrArray) mistakes = g_ptr_array_new_with_free_func((GDestroyNotify)g_error_free);

    g_log_set_default_handler(print_nothing, NULL);

    g_autoptr(FerryConfig) config = ferry_config_read(files, mistakes);

    /* Mistakes are the start's to say. */
    if (!config || mistakes->len > 0 || ferry_config_origin(config, "DEFAULT", "transport_url"))
        return EXIT_SUCCESS;
    fprintf(stderr,
            "virt-ferryd: Waits until a broker is named. Set transport_url in section [DEFAULT] of "
            "%s, then 'systemctl start virt-ferryd'\n",
            n_files > 0 ? files[n_files - 1] : DEFAULT_CONFIG);
    return EXIT_FAILURE;
}

/* Returns: (transfer full): the configuration; NULL when it has mistakes, which are printed. */
static FerryConfig *
load(const char *const *files)
{
    g_autoptr(GPtrArray) mistakes = g_ptr_array_new_with_free_func((GDestroyNotify)g_error_free);
    g_autoptr(FerryConfig) config = ferry_config_read(files, mistakes);

    if (!*files)
        g_warning("There is no " DEFAULT_CONFIG ": everything has its default");
    if (config)
        check_url(config, mistakes);
    for (guint i = 0; i < mistakes->len; i++)
        print_error(g_ptr_array_index(mistakes, i));
    return mistakes->len == 0 ? g_steal_pointer(&config) : NULL;
}

/* Returns: the exit status. What a person has to put right is EX_CONFIG, at which the service
 * manager does not start the agent again. */
static int
run(const Options *options, GError **error)
{
    g_auto(GStrv) files = files_to_read(options);

    if (options->broker_named)
        return tell_broker_named((const char *const *)files);
    if (options->check_config)
        return ferry_config_check((const char *const *)files, DEFAULT_CONFIG) ? EXIT_SUCCESS
                                                                              : EXIT_FAILURE;
    g_autoptr(FerryConfig) config = load((const char *const *)files);
    if (!config)
        return EX_CONFIG;
    if (!ferry_log_open(config->log_file, config->debug || options->debug, error))
        return EX_CONFIG;
    return ferry_daemon_run(config);
}

int
main(int argc, char **argv)
{
    Options options = {0};
    g_autoptr(GError) error = NULL;
    int status = EXIT_FAILURE;

    setlocale(LC_CTYPE, "");
    /* Journal, log and images are nobody else's to read. */
    umask(0077);
    /* A dozen threads that mostly sleep: an arena each would cost more memory than it saves
     * time. */
    mallopt(M_ARENA_MAX, 2);
    if (!parse_options(&argc, &argv, &options, &error)) {
        print_error(error);
        return 2;
    }
    if (options.version) {
        printf("virt-ferryd %s\n", PACKAGE_VERSION);
        return EXIT_SUCCESS;
    }
    status = run(&options, &error);
    if (error)
        print_error(error);
    g_strfreev(options.config_files);
    /* Threads that wait for libvirt may still be there: no destructors under their feet. */
    fflush(NULL);
    _Exit(status);
}
