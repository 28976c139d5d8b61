/* scene.h: what every check of a destination looks at. Made by checks/destination.c for one
 * run; the parts belong to the caller and outlive it.
 */
#pragma once

#include <libvirt/libvirt.h>

#include "model/check.h"
#include "model/instance.h"
#include "model/order-options.h"
#include "runtime/agent.h"
#include "xml/domain-devices.h"
#include "xml/domain-needs.h"

typedef struct {
    const FerryAgent *agent;
    virConnectPtr connection;
    const FerryInstance *instance; /* as the source describes it; untrusted */
    const FerryGuestNeeds *needs;  /* of the same instance's XML; NULL where it cannot be read */
    const FerryDeviceNeeds *parts; /* likewise */
    const FerryInstance *arrives;  /* what is prepared here; @instance, but for one whose persistent
                                    * definition is looked at */
    const FerryOrderOptions *options;
    FerryChecks *checks; /* where results go */
} FerryCheckScene;
