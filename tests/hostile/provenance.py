"""Only the file that was made is deleted, whatever has its name by then."""

CASES = ()
