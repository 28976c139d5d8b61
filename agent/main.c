/* virt-ferryd: the command line of the agent. */
#include "config.h"

#include "daemon.h"
#include "ferry/bus.h"
#include "ferry/error.h"
#include "runtime/log.h"

#include <locale.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define DEFAULT_CONFIG SYSCONFDIR "/virt-ferry/virt-ferryd.conf"

typedef struct {
    char **config_files;
    gboolean check_config;
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
        {"debug", 'd', 0, G_OPTION_ARG_NONE, &options->debug, "Log in detail", NULL},
        {"version", 0, 0, G_OPTION_ARG_NONE, &options->version, "Print the version", NULL},
        {0},
    };
    g_autoptr(GOptionContext) context = g_option_context_new("- the agent of virt-ferry");

    g_option_context_set_summary(
        context, "Carries running virtual machines between KVM hosts, on orders by message.");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, argc, argv, error))
        return false;
    if (*argc > 1) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "Unexpected argument '%s'",
                    (*argv)[1]);
        return false;
    }
    return true;
}

static FerryConfig *
load_config(const Options *options, GError **error)
{
    const char *const fallback[] = {DEFAULT_CONFIG, NULL};
    const char *const none[] = {NULL};

    if (options->config_files)
        return ferry_config_load((const char *const *)options->config_files, error);
    return ferry_config_load(g_file_test(DEFAULT_CONFIG, G_FILE_TEST_EXISTS) ? fallback : none,
                             error);
}

/* The URL is part of the configuration, its grammar the bus'. */
static bool
check_url(const FerryConfig *config, GError **error)
{
    g_autoptr(FerryBus) bus = ferry_bus_new(config->messaging, "virt-ferryd", NULL, error);

    return bus != NULL;
}

static int
run(const Options *options, GError **error)
{
    g_autoptr(FerryConfig) config = load_config(options, error);

    if (!config || !check_url(config, error))
        return EXIT_FAILURE;
    if (options->check_config) {
        printf("The configuration is good; this agent is '%s'.\n", config->host);
        return EXIT_SUCCESS;
    }
    if (!ferry_log_open(config->log_file, config->debug || options->debug, error))
        return EXIT_FAILURE;
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
