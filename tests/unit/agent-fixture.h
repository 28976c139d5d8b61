/* agent-fixture.h: an agent without its daemon: journal and images in a folder of the test's own,
 * the stand-ins for libvirt (fake-libvirt.h) and for the bus (fake-bus.h) around it.
 *
 * Its host is "kvm02" for a destination's tests and "kvm01" for a source's: HERE and the other one.
 */
#pragma once

#include <jansson.h>

#include "fake-bus.h"
#include "fake-libvirt.h"
#include "journal/journal.h"
#include "model/instance.h"
#include "runtime/agent.h"

#define UUID "11111111-2222-3333-4444-555555555555"
#define OTHER_UUID "66666666-7777-8888-9999-000000000000"
#define MIGRATION "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
#define MIB (G_GUINT64_CONSTANT(1) << 20)

typedef struct {
    char *folder;
    char *images;        /* the one allowed path; exists, and no pool has it */
    FerryConfig *config; /* the test may change it before it asks for something */
    FerryAgent agent;
} AgentFixture;

/** @user_data: the host's name; NULL is "kvm01". */
void agent_set_up(AgentFixture *fixture, gconstpointer user_data);
/** Ends agent->stopping first. */
void agent_tear_down(AgentFixture *fixture, gconstpointer user_data);

/** Another life of the agent: its journal is closed and opened again. */
void agent_reopen_journal(AgentFixture *fixture);

/** A source's step has been running for so many seconds. */
void
agent_begin_step(AgentFixture *fixture, const char *migration_id, const char *step, guint before_s);

/** The journal is as an agent of before leaves it, which noted no identities of files. */
void agent_forget_identities(AgentFixture *fixture);

/** What was made here was made so long before. */
void agent_age_creations(AgentFixture *fixture, guint seconds);

/** Returns: (transfer full): a reference to the agent's connection. */
virConnectPtr agent_connect(AgentFixture *fixture);

/** Returns: (transfer full): "IMAGES/name". */
char *agent_image(const AgentFixture *fixture, const char *name);

/** Writes a raw file of @bytes at @path, all of it a hole. */
void agent_write_raw(const char *path, guint64 bytes);

/** Returns: (transfer full): the XML of "web-1", with one disk vda at @path in @format. */
char *agent_domain_xml(const char *path, const char *format);

/** Returns: (transfer full): the same as instance_info, as a source sends it.
 * @state: libvirt's word. */
json_t *agent_instance_info(const char *path, const char *format, const char *state);

/** Returns: (transfer full): such an instance. */
FerryInstance *agent_instance(const char *path, const char *format, const char *state);

/** Returns: (transfer full): what the journal has of it; fails the test when there is none. */
FerryRecord *agent_record(const AgentFixture *fixture, const char *migration_id, FerryRole role);

/** Returns: (transfer full): what is left of creations, a line each: kind, path below images. */
char *agent_creations(const AgentFixture *fixture, const char *migration_id);

#define AGENT_ADD(path, host, func)                                                                \
    g_test_add(path, AgentFixture, host, agent_set_up, func, agent_tear_down)
