"""What a broker, or who stands between, can send in frames."""

CASES = ()
