"""Hosts, a broker and guests on one machine: see README.md in this folder."""
