"""What a guest can write into its own disk, and a user of the host into a folder."""

CASES = ()
