#!/bin/sh
# Asks an agent in bare JSON with the command-line tools of librabbitmq (Debian: amqp-tools), and
# prints the answer.
#
#   ask.sh amqp://user:password@broker:5672 kvm01 describe_host
#   ask.sh amqp://user:password@broker:5672 kvm01 live_migrate_instance \
#       '{"instance": "web1", "host": "kvm02"}'
set -eu
url=$1
host=$2
method=$3
args=${4:-"{}"}

replies=$(amqp-declare-queue --url="$url" --queue="ask-$(cat /proc/sys/kernel/random/uuid)")
trap 'amqp-delete-queue --url="$url" --queue="$replies" >/dev/null' EXIT
amqp-publish --url="$url" --exchange=virt-ferry --routing-key="virt-ferry.$host" \
    --content-type=application/json --reply-to="$replies" --persistent \
    --body="{\"method\": \"$method\", \"args\": $args}"
timeout 60 amqp-consume --url="$url" --queue="$replies" --count=1 cat
echo
