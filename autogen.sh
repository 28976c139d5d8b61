#!/bin/sh
# Makes configure and Makefile.in; run ./configure yourself afterwards.
set -e
cd "$(dirname "$0")"
autoreconf -fi
