#!/usr/bin/env bash
# Install the site on a Debian or Ubuntu server, or bring an installed one up to date. Run it from a clone of the
# repository, as often as you like: what is there already is left alone. docs/deploying.md goes through it step by step.
#
#   sudo deploy/install.sh --host rates.example.org --email you@example.org
#   sudo deploy/install.sh                       # after `git pull`: install this version with the settings as they are
#   sudo deploy/install.sh --rollback            # go back to the version that ran before
#
#   --host NAME[,NAME…]   the site's public names; the first installation needs it
#   --email ADDRESS       where Let's Encrypt writes to; without it, the certificate stays self-signed
#   --self-signed         no certificate from Let's Encrypt, even with an address
#   --profile 2gb|4gb     memory limits; the default suits the machine's memory at the first installation
#   --no-firewall         leave the firewall alone
#   --no-swap             add no swap file
#   --files-only DIR      write the configuration files below DIR and do nothing else, to look at them or to test them
#
# Where no systemd is running, as in a chroot, everything is installed and nothing started.
set -Eeuo pipefail
trap 'echo "install.sh: stopped at line $LINENO: $BASH_COMMAND" >&2' ERR
umask 022

uv_version=0.13.9
home=/srv/beaconpoint
settings=/etc/beaconpoint/environment
backups=/var/backups/beaconpoint
packages=(ca-certificates curl git nginx openssl python3 python3-venv certbot logrotate ufw unattended-upgrades)

hosts= email= profile= self_signed= firewall=1 swap=1 rollback= files_only= root=

say() { printf '%s\n' "$*"; }
step() { printf '\n== %s\n' "$*"; }
stop() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

read_options() {
  while [ $# -gt 0 ]; do
    case $1 in
      --host | --email | --profile | --files-only)
        [ $# -ge 2 ] || stop "$1 needs a value; --help shows the options"
        case $1 in
          --host) hosts=${2//,/ } ;;
          --email) email=$2 ;;
          --profile) profile=$2 ;;
          --files-only) files_only=1 root=${2%/} ;;
        esac
        shift
        ;;
      --self-signed) self_signed=1 ;;
      --no-firewall) firewall= ;;
      --no-swap) swap= ;;
      --rollback) rollback=1 ;;
      -h | --help)
        sed -n '2,/^set /{/^# \{0,1\}/{s///;p;};}' "$0"
        exit 0
        ;;
      *) stop "unknown option $1; --help shows the options" ;;
    esac
    shift
  done
  [[ $profile =~ ^(|2gb|4gb)$ ]] || stop "--profile $profile: expected 2gb or 4gb"
  for host in $hosts; do
    [[ $host =~ ^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$ ]] || stop "--host $host: expected a name such as rates.example.org"
  done
  # What is not said is as it was.
  [ -n "$hosts" ] || hosts=$(setting BEACONPOINT_ALLOWED_HOSTS | tr , ' ')
  [ -n "$hosts" ] || stop "say the site's public name: --host rates.example.org"
  [ -n "$profile" ] || profile=$(cat "$root/etc/beaconpoint/profile" 2>/dev/null || choose_profile)
}

choose_profile() {
  local kilobytes
  kilobytes=$(awk '/^MemTotal:/ {print $2}' /proc/meminfo)
  if [ "$kilobytes" -lt 3000000 ]; then echo 2gb; else echo 4gb; fi
}

# --- the environment file --------------------------------------------------------------------------------------

setting() { # setting NAME: its value in the environment file
  if [ -e "$root$settings" ]; then sed -n "s/^$1=//p" "$root$settings" | tail -n 1; fi
}

has_setting() { grep -q "^$1=" "$root$settings"; }

set_setting() { # set_setting NAME VALUE: replaces its line, or adds one
  if has_setting "$1"; then
    sed -i "s|^$1=.*|$1=$2|" "$root$settings"
  else
    printf '%s=%s\n' "$1" "$2" >>"$root$settings"
  fi
}

write_settings() { # write_settings DEPLOY_DIRECTORY
  install -d "$root/etc/beaconpoint"
  if [ ! -e "$root$settings" ]; then
    cat >"$root$settings" <<'END'
# The settings of the site, of the timers, and of every `beaconpoint` command: NAME=VALUE, one a line.
# docs/operating.md explains them. After a change: systemctl restart beaconpoint-site
END
  fi
  # A setting that is there stays as it is, also one that a new version would set otherwise.
  local line
  for line in "DATA_DIR=$home/data" HTTPS=true BEHIND_PROXY=true METRICS_BIND=127.0.0.1:9464; do
    has_setting "BEACONPOINT_${line%%=*}" || set_setting "BEACONPOINT_${line%%=*}" "${line#*=}"
  done
  set_setting BEACONPOINT_ALLOWED_HOSTS "${hosts// /,}"
  # Another profile replaces the settings of the one before.
  while IFS= read -r line; do
    if [ "$profile" != "$(cat "$root/etc/beaconpoint/profile" 2>/dev/null)" ] || ! has_setting "${line%%=*}"; then
      set_setting "${line%%=*}" "${line#*=}"
    fi
  done <"$1/profiles/$profile/environment"
  chmod 644 "$root$settings" # no secrets: every user's commands may read it
  echo "$profile" >"$root/etc/beaconpoint/profile"
  [ -e "$root/etc/beaconpoint/sources" ] || install -m 640 "$1/etc/sources.example" "$root/etc/beaconpoint/sources"
}

# --- files below /etc and /usr/local ---------------------------------------------------------------------------

install_units() { # install_units DEPLOY_DIRECTORY
  local units=$root/etc/systemd/system unit
  install -d "$units"
  # Those that this version no longer has, and the other profile's limits; an operator's own drop-ins stay.
  rm -f "$units"/beaconpoint-*.{service,timer,slice} "$units"/beaconpoint-*.d/50-{confinement,memory}.conf
  for unit in "$1"/systemd/*; do
    if [ -f "$unit" ]; then install -m 644 "$unit" "$units/"; fi
  done
  install -D -m 644 -t "$units/beaconpoint-.service.d" "$1"/systemd/beaconpoint-.service.d/*.conf
  for unit in "$1/profiles/$profile"/*.conf; do
    install -D -m 644 "$unit" "$units/$(basename "$unit" .conf).d/50-memory.conf"
  done
  install -D -m 644 "$1/etc/journald.conf" "$root/etc/systemd/journald.conf.d/beaconpoint.conf"
  install -D -m 644 "$1/etc/logrotate.conf" "$root/etc/logrotate.d/beaconpoint"
  install -D -m 644 "$1/etc/sysctl.conf" "$root/etc/sysctl.d/60-beaconpoint.conf"
  # Security updates by themselves, unless somebody has decided about them already.
  [ -e "$root/etc/apt/apt.conf.d/20auto-upgrades" ] ||
    install -D -m 644 "$1/etc/auto-upgrades.conf" "$root/etc/apt/apt.conf.d/20auto-upgrades"
  install -d "$root/usr/local/bin"
  ln -sfn "$home/current/deploy/bin/beaconpoint" "$root/usr/local/bin/beaconpoint"
}

make_certificates() { # self-signed ones, for the names of the site and for the server of unknown names
  local directory=$root/etc/beaconpoint/tls name subject
  install -d -m 700 "$directory"
  for name in nobody self-signed; do
    subject=invalid
    if [ "$name" = self-signed ]; then subject=${hosts%% *}; fi
    if [ "$(openssl x509 -noout -subject -nameopt multiline -in "$directory/$name.pem" 2>/dev/null |
      sed -n 's/ *commonName *= //p')" != "$subject" ]; then
      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=$subject" \
        -addext "subjectAltName=DNS:$subject" -keyout "$directory/$name.key" -out "$directory/$name.pem" 2>/dev/null
    fi
  done
  if [ ! -e "$directory/site.pem" ]; then use_certificate self-signed.pem self-signed.key; fi
}

use_certificate() { # use_certificate CERTIFICATE KEY: what nginx reads from now on
  ln -sfn "$1" "$root/etc/beaconpoint/tls/site.pem"
  ln -sfn "$2" "$root/etc/beaconpoint/tls/site.key"
}

write_nginx() { # write_nginx DEPLOY_DIRECTORY
  local old_or_new='< 1.25.1' other='>= 1.25.1' version ipv6=
  version=$(nginx -v 2>&1 | sed 's|.*/||; s| .*||')
  if [ "$(printf '%s\n' 1.25.1 "$version" | sort -V | head -n 1)" = 1.25.1 ]; then
    old_or_new='>= 1.25.1' other='< 1.25.1'
  fi
  if [ ! -e /proc/net/if_inet6 ]; then ipv6='/; *#.* \[IPv6\]$/d'; fi
  install -d "$root/etc/nginx/sites-available" "$root/etc/nginx/sites-enabled"
  install -d "$root/var/log/beaconpoint" "$root/var/lib/beaconpoint-acme"
  sed -e "/; *# \[nginx $other\]/d" -e "$ipv6" -e "s/; *# \[nginx $old_or_new\].*/;/" -e 's/; *# \[IPv6\]$/;/' \
    -e "s|HOSTS;|$hosts;|" -e "s|ROOT/|$root/|" "$1/nginx/beaconpoint.conf" >"$root/etc/nginx/sites-available/beaconpoint"
  ln -sfn ../sites-available/beaconpoint "$root/etc/nginx/sites-enabled/beaconpoint"
}

write_files() { # write_files DEPLOY_DIRECTORY
  write_settings "$1"
  install_units "$1"
  make_certificates
  write_nginx "$1"
}

# --- the machine -----------------------------------------------------------------------------------------------

systemd_runs() { [ -d /run/systemd/system ]; }

install_packages() {
  local missing=() package
  for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  if [ ${#missing[@]} -gt 0 ]; then
    say "installing ${missing[*]}"
    local log
    log=$(mktemp)
    if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
      apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
      cat "$log" >&2
      stop "the packages could not be installed; the reason is above"
    fi
    rm "$log"
  fi
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    stop "$(python3 --version) is too old: Python 3.11 is in Debian 12, Ubuntu 24.04, and later"
}

make_users() {
  local user
  for user in beaconpoint beaconpoint-web; do
    if ! id "$user" >/dev/null 2>&1; then
      useradd --system --user-group --home-dir "$home" --no-create-home --shell /usr/sbin/nologin "$user"
      say "user $user"
    fi
  done
}

make_directories() {
  install -d "$home" "$home/releases" "$home/inbox"
  install -d -o beaconpoint -g beaconpoint "$home/data" "$home/data-cache" "$backups" /var/cache/beaconpoint-work
  install -d -o beaconpoint-web -g beaconpoint-web -m 700 /var/cache/beaconpoint-web
  install -d -o root -g adm -m 750 /var/log/beaconpoint
}

add_swap() {
  if [ -z "$swap" ] || [ -e /swapfile ] || [ -n "$(swapon --show --noheadings 2>/dev/null)" ] || ! systemd_runs; then return; fi
  if systemd-detect-virt -q --container; then return; fi
  fallocate -l 2G /swapfile
  chmod 600 /swapfile
  mkswap -q /swapfile 2>/dev/null || mkswap /swapfile >/dev/null
  swapon /swapfile
  echo '/swapfile none swap sw 0 0' >>/etc/fstab
  say "2 GB of swap in /swapfile"
}

open_firewall() {
  if [ -z "$firewall" ] || ! systemd_runs; then return; fi
  local port ports
  # Whatever sshd listens on stays open, or the machine could not be reached again.
  ports=$(sshd -T 2>/dev/null | awk '$1 == "port" {print $2}') || ports=22
  for port in $ports 80 443; do ufw allow "$port/tcp" >/dev/null; done
  ufw --force enable >/dev/null
  say "open: ${ports//$'\n'/, } (ssh), 80, 443; everything else is closed"
}

# --- the code --------------------------------------------------------------------------------------------------

source_of_clone() { cd "$(dirname "$(readlink -f "$0")")/.." && pwd; }

clone_git() { git -c safe.directory="$source" -C "$source" "$@"; }

make_release() { # sets `release`: this clone's commit, ready to run, root's own
  source=$(source_of_clone)
  local commit
  commit=$(clone_git rev-parse HEAD 2>/dev/null) || stop "$source is not a git clone"
  [ -z "$(clone_git status --porcelain --untracked-files=no)" ] ||
    say "changes that are not committed in $source are not installed"
  for release in "$home"/releases/*; do
    if [ "$(cat "$release/.commit" 2>/dev/null)" = "$commit" ]; then
      say "commit ${commit:0:10} is already in $release"
      return
    fi
    if [ ! -e "$release/.commit" ]; then rm -rf "$release"; fi # an installation that was interrupted
  done
  release=$home/releases/$(date -u +%Y%m%d-%H%M%S)-${commit:0:10}
  say "commit ${commit:0:10} in $release"
  install -d "$release"
  clone_git archive HEAD | tar -x -C "$release"
  local cluster=()
  (
    cd "$release"
    python3 -m venv .venv
    .venv/bin/pip install -q --disable-pip-version-check --no-cache-dir "uv==$uv_version"
    # One cache for all releases, on their disk: files that two releases share are stored once.
    # A machine that serves a copy of a published store needs the libraries for object storage as well.
    [ ! -e "$root/etc/beaconpoint/object-store" ] || cluster=(--group cluster)
    UV_CACHE_DIR=$home/build-cache .venv/bin/uv sync -q --locked --no-dev "${cluster[@]}" --inexact --compile-bytecode
    .venv/bin/python -m compileall -q beaconpoint core manage.py
    .venv/bin/python manage.py collectstatic --noinput --verbosity 0
  )
  echo "$commit" >"$release/.commit" # last of all: a release without it is not complete
}

switch_to() { # switch_to RELEASE: `current` names it from now on, and `previous` the one before
  local before
  before=$(readlink -e "$home/current" || true)
  if [ "$before" = "$1" ]; then return; fi
  if [ -n "$before" ]; then ln -sfn "$before" "$home/previous"; fi
  ln -sfn "$1" "$home/.current"
  mv -T "$home/.current" "$home/current" # one rename: there is always a current release
}

remove_old_releases() { # all but the newest three, the current one, and the previous one
  local old
  for old in $(find "$home/releases" -mindepth 1 -maxdepth 1 | sort -r | tail -n +4); do
    if [ "$old" != "$(readlink -f "$home/current")" ] && [ "$old" != "$(readlink -f "$home/previous")" ]; then rm -rf "$old"; fi
  done
}

# --- starting --------------------------------------------------------------------------------------------------

test_nginx() {
  rm -f /etc/nginx/sites-enabled/default # it claims the unknown names
  nginx -t 2>&1 | grep -v 'syntax is ok' || true
  nginx -t -q || stop "nginx does not accept /etc/nginx/sites-available/beaconpoint"
}

start_services() {
  if ! systemd_runs; then return; fi
  systemctl daemon-reload
  systemctl restart systemd-journald
  sysctl -q --system >/dev/null 2>&1 || true
  systemctl enable -q --now beaconpoint-{refresh,check,backup,verify,copy}.timer
  systemctl enable -q beaconpoint-site nginx
  systemctl restart beaconpoint-site || true # confirm_or_go_back finds out whether it runs
  systemctl reload-or-restart nginx
}

site_answers() { # wait until the site is alive, a minute at most
  local _
  for _ in $(seq 60); do
    if curl -fsS -o /dev/null --max-time 2 http://127.0.0.1:8000/healthz 2>/dev/null; then return 0; fi
    sleep 1
  done
  return 1
}

confirm_or_go_back() {
  if ! systemd_runs; then
    say "systemd is not running here: nothing was started"
    return
  fi
  if site_answers; then
    say "http://127.0.0.1:8000/healthz answers"
    return
  fi
  journalctl -u beaconpoint-site -n 20 --no-pager >&2 || true
  if [ -n "$rollback" ] || [ ! -e "$home/previous" ]; then stop "the site does not answer; its log is above"; fi
  say "this version does not answer: going back" >&2
  go_back
  systemctl daemon-reload
  systemctl restart beaconpoint-site
  stop "the site runs the version before; the log of the new one is above"
}

go_back() {
  local before
  before=$(readlink -e "$home/previous") || stop "there is no version to go back to"
  switch_to "$before"
  install_units "$before/deploy"
  say "back to $before"
}

get_certificate() {
  if [ -n "$self_signed" ]; then use_certificate self-signed.pem self-signed.key; fi
  if [ -n "$self_signed" ] || [ -z "$email" ]; then
    if [ "$(readlink /etc/beaconpoint/tls/site.pem)" = self-signed.pem ]; then say "the certificate is self-signed"; fi
    return
  fi
  systemd_runs || return 0
  local host names=()
  for host in $hosts; do names+=(-d "$host"); done
  if certbot certonly --non-interactive --agree-tos --email "$email" --webroot -w /var/lib/beaconpoint-acme \
    --cert-name beaconpoint --expand --keep-until-expiring --deploy-hook 'systemctl reload nginx' "${names[@]}"; then
    use_certificate /etc/letsencrypt/live/beaconpoint/{fullchain,privkey}.pem
    systemctl reload nginx
    say "certificate for $hosts; certbot.timer renews it"
  else
    say "no certificate yet: does $hosts lead to this machine? Then run this again. Until then it is self-signed."
  fi
}

main() {
  read_options "$@"
  local deploy
  deploy=$(source_of_clone)/deploy
  if [ -n "$files_only" ]; then
    write_files "$deploy"
    return
  fi
  [ "$(id -u)" = 0 ] || stop "run this as root: sudo $0 …"
  if [ -n "$rollback" ]; then
    go_back
  else
    step packages
    install_packages
    step users and directories
    make_users
    make_directories
    step code
    make_release
    deploy=$release/deploy
    step "configuration: $hosts, profile $profile"
    write_files "$deploy"
    chown root:beaconpoint /etc/beaconpoint/sources
    "$deploy/bin/beaconpoint" --web check --deploy --fail-level ERROR # before it replaces what runs
    test_nginx
    switch_to "$release"
    step swap and firewall
    add_swap
    open_firewall
  fi
  step start
  start_services
  confirm_or_go_back
  if [ -z "$rollback" ]; then
    step certificate
    get_certificate
    remove_old_releases
  fi
  say
  say "https://${hosts%% *}/ runs ${release:-$(readlink -f "$home/current")}"
}

main "$@"
