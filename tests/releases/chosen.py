"""What tests/releases/run plays on each pair of releases: data only.

Of each way that data goes, of each state that an instance may be in, and of each end, one; between
hosts of the newer release what that release does another way.
"""

OLDER, NEWER = "bookworm", "trixie"

JOURNEYS = {
    # Upwards, as hosts are upgraded: most of what there is.
    (OLDER, NEWER): (
        "crossing.one_disk", "crossing.source_disks_are_deleted", "layouts.tebibyte",
        "layouts.pool_is_missing", "chains.one_level", "media.floppy_and_read_only_disk",
        "transports.tls", "abort.while_disks_move", "post_copy.link_is_cut",
        "quarantine.restored", "shutoff.variables_and_tpm", "seeded.by_order",
        "mapping.another_pool", "thin.raw_there_and_back", "block.onto_old_data", "checks.processor"),
    # Back, while something does not fit.
    (NEWER, OLDER): (
        "crossing.uuid_and_paused_guest", "chains.one_level", "media.config_drive",
        "shutoff.chain_is_kept", "firmware.variables_travel", "checks.machine",
        "thin.room_for_all_of_it"),
    (NEWER, NEWER): (
        "transports.post_copy", "abort.timeout_forces", "chains.flattened",
        "media.writable_floppy", "shutoff.chain_is_kept", "events.progress",
        "thin.raw_elsewhere"),
}

FAULTS = {
    (OLDER, NEWER): ("kill-source-libvirtd@disk", "kill-destination-libvirtd@memory",
                     "fill-destination-disk@disk", "destination/merge:begin@seeded"),
    (NEWER, OLDER): ("kill-both-agents@memory", "kill-destination-qemu@disk"),
    (NEWER, NEWER): ("kill-source-agent@switchover", "destination/publish:end@chain/aborted"),
}
