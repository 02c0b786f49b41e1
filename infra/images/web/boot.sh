#!/bin/bash
# What a new instance does once, as root: fetch the release, start the web process under systemd.
# infra/stacks/web.py fills in what stands between at signs.
set -euo pipefail
started_s=$SECONDS

install -d -m 755 /opt/vitrina /etc/vitrina /var/log/vitrina
dnf install -y -q python3.13 amazon-cloudwatch-agent &
packages=$!
aws s3 cp --quiet --region @region@ s3://@releases@/@release@/web.tar.gz /tmp/web.tar.gz
tar -xzf /tmp/web.tar.gz -C /opt/vitrina --no-same-owner
rm /tmp/web.tar.gz
wait "$packages"

useradd --system --no-create-home --shell /sbin/nologin vitrina
chown vitrina: /var/log/vitrina
# The load balancer speaks TLS to us; it takes any certificate, so each instance makes its own.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
    -subj "/CN=vitrina" -keyout /etc/vitrina/key.pem -out /etc/vitrina/certificate.pem 2>/dev/null
chown vitrina: /etc/vitrina/key.pem
chmod 400 /etc/vitrina/key.pem

cat >/etc/vitrina/environment <<'END'
@environment@
END

cat >/etc/vitrina/passfile.py <<'END'
@passfile@
END

cat >/etc/vitrina/drain.sh <<'END'
@drain@
END
chmod 755 /etc/vitrina/drain.sh

unit() { cat >"/etc/systemd/system/$1"; }
unit vitrina-password.service <<'END'
[Unit]
Description=The database's password, always the newest
After=network-online.target
Wants=network-online.target
[Service]
User=vitrina
RuntimeDirectory=vitrina
RuntimeDirectoryMode=0700
EnvironmentFile=/etc/vitrina/environment
ExecStartPre=/usr/bin/python3.13 /etc/vitrina/passfile.py /run/vitrina/passwords
ExecStart=/usr/bin/python3.13 /etc/vitrina/passfile.py /run/vitrina/passwords --every 60
Restart=always
RestartSec=5
NoNewPrivileges=yes
ProtectSystem=strict
PrivateTmp=yes
END
service() {
    unit "$1.service" <<END
[Unit]
Description=$2
After=vitrina-password.service
Requires=vitrina-password.service
[Service]
User=vitrina
WorkingDirectory=/opt/vitrina
EnvironmentFile=/etc/vitrina/environment
ExecStart=/usr/bin/python3.13 $3
Restart=always
RestartSec=1
KillSignal=SIGTERM
TimeoutStopSec=@stop_s@
StandardOutput=append:/var/log/vitrina/$1.log
StandardError=inherit
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=/var/log/vitrina
PrivateTmp=yes
LimitNOFILE=65536
[Install]
WantedBy=multi-user.target
END
}
service vitrina-web "The shop" "-m uvicorn --factory vitrina.entrypoints.http:app --host 0.0.0.0 \
--port @port@ --workers $(nproc) --no-server-header --no-access-log \
--timeout-graceful-shutdown @drain_s@ \
--ssl-keyfile /etc/vitrina/key.pem --ssl-certfile /etc/vitrina/certificate.pem"
service vitrina-relay "Sends what the outbox holds" "/etc/vitrina/relay.py"
unit vitrina-drain.service <<'END'
[Unit]
Description=Leaves gracefully when the group takes this instance away
After=vitrina-web.service
[Service]
ExecStart=/etc/vitrina/drain.sh
Restart=on-failure
[Install]
WantedBy=multi-user.target
END

cat >/etc/vitrina/relay.py <<'END'
@relay@
END

cat >/etc/vitrina/logs.json <<'END'
@logs@
END
cat >/etc/logrotate.d/vitrina <<'END'
/var/log/vitrina/*.log {
    size 100M
    rotate 3
    copytruncate
    missingok
}
END

systemctl daemon-reload
systemctl enable --now vitrina-web vitrina-relay vitrina-drain
/opt/aws/amazon-cloudwatch-agent/bin/amazon-cloudwatch-agent-ctl \
    -a fetch-config -m ec2 -s -c file:/etc/vitrina/logs.json >/dev/null
echo "vitrina: started after $((SECONDS - started_s)) s"
