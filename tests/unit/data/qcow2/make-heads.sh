#!/bin/sh
# Makes the first bytes of qcow2 images again, with the qemu-img that is installed.
set -eu
cd "$(dirname "$0")"
here=$(pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

keep() {
    head -c 1024 image.qcow2 >"$here/$1.head"
    rm -f image.qcow2
}
create() {
    qemu-img create -q -f qcow2 "$@"
}

create image.qcow2 20G
keep default
create -o compat=0.10 image.qcow2 1G
keep compat-0.10
create -o cluster_size=2M,lazy_refcounts=on,refcount_bits=1 image.qcow2 1T
keep tuned
create -o cluster_size=512,refcount_bits=64 image.qcow2 1M
keep smallest-cluster
create -o cluster_size=128k,extended_l2=on,compression_type=zstd image.qcow2 200G
keep extended-l2-zstd
create -o data_file=data.raw image.qcow2 1G
keep data-file

qemu-img create -q -f raw base.raw 1G
create -b base.raw -F raw image.qcow2
keep backing

create image.qcow2 64M
qemu-img snapshot -c one image.qcow2
qemu-img snapshot -c two image.qcow2
keep snapshots

create --object secret,id=key,data=abc \
    -o encrypt.format=luks,encrypt.key-secret=key,encrypt.iter-time=10 image.qcow2 64M
keep luks

create image.qcow2 64M
qemu-img bitmap --add image.qcow2 changed
keep bitmap
