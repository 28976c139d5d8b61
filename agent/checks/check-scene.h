/* check-scene.h: what every check of a destination looks at. Made by destination-check.c for one
 * run; the parts belong to the caller and outlive it.
 */
#pragma once

#include <libvirt/libvirt.h>

#include "agent.h"
#include "check.h"
#include "domxml-needs.h"
#include "instance.h"
#include "order-options.h"

typedef struct {
    const FerryAgent *agent;
    virConnectPtr connection;
    const FerryInstance *instance; /* as the source describes it; untrusted */
    const FerryGuestNeeds *needs;  /* of the same instance's XML; NULL where it cannot be read */
    const FerryOrderOptions *options;
    FerryChecks *checks; /* where results go */
} FerryCheckScene;
