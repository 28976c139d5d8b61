"""What tests/releases/run plays on each pair of releases: data only.

Of each way that data goes, of each state that an instance may be in, and of each end, one; between
hosts of the newer release what that release does another way. Each laboratory takes a quarter of a
minute, so faults are played on two pairs.
"""

OLDER, NEWER = "bookworm", "trixie"

JOURNEYS = {
    # Upwards, as hosts are upgraded: most of what there is.
    (OLDER, NEWER): (
        "crossing.one_disk", "layouts.tebibyte", "layouts.pool_is_missing", "chains.one_level",
        "media.floppy_and_read_only_disk", "transports.tls", "abort.while_disks_move",
        "quarantine.restored", "shutoff.variables_and_tpm", "seeded.by_order",
        "mapping.another_pool", "thin.raw_there_and_back", "block.onto_old_data",
        "checks.processor", "convergence.policies"),
    # Back, while something does not fit.
    (NEWER, OLDER): (
        "crossing.uuid_and_paused_guest", "chains.one_level", "media.config_drive",
        "shutoff.chain_is_kept", "checks.machine", "thin.room_for_all_of_it"),
    (NEWER, NEWER): (
        "transports.post_copy", "firmware.variables_travel", "chains.flattened",
        "events.progress", "thin.raw_elsewhere", "busy_disks.goes_over_at_once"),
}

FAULTS = {
    (OLDER, NEWER): ("kill-source-libvirtd@disk", "kill-destination-libvirtd@memory",
                     "fill-destination-disk@disk", "destination/merge:begin@seeded",
                     "destination/publish:end@chain/aborted"),
    (NEWER, OLDER): ("kill-both-agents@memory", "kill-destination-qemu@disk",
                     "kill-source-agent@switchover"),
}
