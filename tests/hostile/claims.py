"""What an order claims is not believed: URIs, volumes, hosts and arrivals."""

CASES = ()
