"""Which cases of a suite are meant, and running them on one stage."""

import argparse
import contextlib
import importlib
import os
import sys

from lab import program, release
from lab.booted import apart
from lab.lab import Lab
from lab.service import ServiceLab
from lab.tap import Tap

from stage import Stage, is_long


def cases(modules, names, everything=True):
    """[(module, case)] that the names mean; a name that means none ends the program."""
    found = []
    unknown = set(names)
    for module_name in modules:
        for case in importlib.import_module(module_name).CASES:
            meant = {module_name, case.__name__, "%s.%s" % (module_name, case.__name__)}
            wanted = meant & set(names) if names else everything or not is_long(case)
            if wanted:
                found.append((module_name, case))
            unknown -= meant
    if unknown:
        sys.exit("run: no such case: %s" % ", ".join(sorted(unknown)))
    return found


def unclaimed(chosen, folder):
    """Those that nobody else has begun, each claimed when its turn comes."""
    for module_name, case in chosen:
        claim = os.path.join(folder, "%s.%s" % (module_name, case.__name__))
        with contextlib.suppress(FileExistsError):
            os.mkdir(claim)
            yield module_name, case


def parser(description):
    """A suite's own options can be added."""
    made = argparse.ArgumentParser(description=description,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--all", action="store_true")
    made.add_argument("--list", action="store_true")
    made.add_argument("--share", metavar="FOLDER")
    release.add_option(made)
    made.add_argument("--service", action="store_true")
    made.add_argument("--packages", metavar="FOLDER")
    made.add_argument("names", nargs="*")
    return made


def tell_roots(tap, played):
    """Which cases had agents that were root, and why."""
    roots = [(module_name, case) for module_name, case in played if hasattr(case, "root")]
    tap.note("%d of them with agents that are root" % len(roots))
    for module_name, case in roots:
        tap.note("%s.%s: %s" % (module_name, case.__name__, case.root))


def run(options, modules, **laboratory):
    """Lists or runs what the options mean, in a laboratory of this kind; returns the status."""
    chosen = cases(modules, options.names, options.all or options.list)
    if options.list:
        print("\n".join("%s.%s" % (module_name, case.__name__) for module_name, case in chosen))
        return 0
    if options.packages:
        os.environ["VIRT_FERRY_PACKAGES"] = os.path.abspath(options.packages)
    service = options.service or options.packages
    if service:
        apart()
    tap = Tap(None if options.share else len(chosen))
    if options.share:
        chosen = unclaimed(chosen, options.share)
    with (ServiceLab if service else Lab)(sshd=True, **laboratory) as lab:
        stage = Stage(lab)
        tap.note("virt-ferryd: %s" % program.find("virt-ferryd"))
        played = []
        for module_name, case in chosen:
            played.append((module_name, case))
            title = "%s: %s" % (module_name, case.__doc__.strip().splitlines()[0])
            if lab.releases:
                title = "%s: %s" % (release.pair(), title)
            if not tap.case(title, stage.play, case):
                tap.note("%s.%s" % (module_name, case.__name__))
                tap.note(stage.said)
    tell_roots(tap, played)
    return tap.status()
