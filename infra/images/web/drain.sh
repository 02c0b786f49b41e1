#!/bin/bash
# Waits until the Auto Scaling group takes this instance away; then lets the web process end what
# it has begun, and says so. The load balancer has stopped sending by then.
set -euo pipefail
metadata=http://169.254.169.254/latest
ask() {
    local token
    token=$(curl -sf -m 2 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' "$metadata/api/token")
    curl -sf -m 2 -H "X-aws-ec2-metadata-token: $token" "$metadata/meta-data/$1"
}
until [ "$(ask autoscaling/target-lifecycle-state || true)" = Terminated ]; do sleep 5; done
systemctl stop vitrina-relay vitrina-web
sleep 5 # the agent sends the last lines of the log
aws autoscaling complete-lifecycle-action --region @region@ \
    --auto-scaling-group-name @group@ --lifecycle-hook-name @hook@ \
    --instance-id "$(ask instance-id)" --lifecycle-action-result CONTINUE
