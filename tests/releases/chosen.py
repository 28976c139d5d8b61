"""What tests/releases/run plays on each pair of releases: data only.

Of each way that data goes, of each state that an instance may be in, and of each end, one; between
hosts of the newer release what that release does another way.
"""

OLDER, NEWER = "bookworm", "trixie"

JOURNEYS = {
    # Upwards, as hosts are upgraded: most of what there is.
    (OLDER, NEWER): (
        "crossing.one_disk", "crossing.source_disks_are_deleted",
        "layouts.image_features_come_back", "layouts.pool_is_missing", "chains.one_level",
        "media.cdrom_copied_and_used",
        "transports.tls", "abort.while_disks_move", "post_copy.link_is_cut",
        "quarantine.restored", "shutoff.variables_and_tpm", "seeded.there_and_back",
        "mapping.another_pool", "block.onto_old_data", "checks.processor"),
    # Back, while something does not fit.
    (NEWER, OLDER): (
        "crossing.uuid_and_paused_guest", "mapping.other_name", "checks.machine",
        "shutoff.chain_is_kept", "firmware.variables_travel", "encryption.there_and_back"),
    (NEWER, NEWER): (
        "shutoff.there_and_back", "transports.post_copy", "abort.timeout_forces",
        "firmware.tpm_travels", "chains.flattened", "events.progress"),
}

FAULTS = {
    (OLDER, NEWER): ("kill-source-libvirtd@disk", "kill-destination-libvirtd@memory",
                     "fill-destination-disk@disk", "destination/merge:begin@seeded"),
    (NEWER, OLDER): ("kill-both-agents@memory", "kill-destination-qemu@disk"),
    (NEWER, NEWER): ("kill-source-agent@switchover", "destination/publish:end@chain/aborted"),
}
