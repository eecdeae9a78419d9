#!/usr/bin/env bash
# Starts and stops a Slurm cluster of one node, for tests: no root, no systemd, no munge, nothing shared with any other.
#
#     scripts/private_slurm.sh start DIR        all its files go into DIR, which it makes; prints the line to source
#     scripts/private_slurm.sh stop DIR         ends its jobs and daemons, removes DIR
#     scripts/private_slurm.sh controller DIR   starts the controller again, which somebody has killed
#
# Clients find the cluster by SLURM_CONF=DIR/slurm.conf.
set -euo pipefail

readonly unavailable=69 # EX_UNAVAILABLE of sysexits.h
PATH="$PATH:/usr/sbin:/sbin"

fail() {
    printf 'error: %s\nfix:   %s\n' "$1" "$2" >&2
    exit "$unavailable"
}

# A port of this host that nobody listens on, below those that the kernel gives away.
free_port() {
    local port
    for _ in {1..100}; do
        port=$((20000 + RANDOM % 12000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
    fail "no free port" "end some of the programs that listen"
}

write_configuration() {
    local host user processors memory
    host="$(hostname -s)"
    user="$(id -un)"
    processors="$(nproc)"
    memory="$(awk '/^MemTotal:/ { print int($2 / 1024) }' /proc/meminfo)"
    cat >"$1/slurm.conf" <<CONF
ClusterName=private
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/none
CredType=cred/none
StateSaveLocation=$1/state
SlurmdSpoolDir=$1/spool
SlurmctldPidFile=$1/slurmctld.pid
SlurmdPidFile=$1/slurmd.pid
SlurmctldLogFile=$1/slurmctld.log
SlurmdLogFile=$1/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/builtin
SchedulerParameters=batch_sched_delay=0,sched_interval=1
ReturnToService=2
SlurmdTimeout=10
KillWait=5
MinJobAge=300
MaxArraySize=${PRIVATE_SLURM_MAX_ARRAY_SIZE:-1001}
NodeName=$host NodeAddr=127.0.0.1 CPUs=$processors RealMemory=$memory
PartitionName=main Nodes=$host Default=YES MaxTime=INFINITE OverSubscribe=FORCE:4
CONF
}

# The processes of this cluster: daemons have its log open, and Slurm tells each job where its configuration is.
processes() {
    {
        find /proc/[0-9]*/fd -lname "$1/slurm*.log*" || true # processes come and go
        grep --files-with-matches --null-data --line-regexp --fixed-strings "SLURM_CONF=$1/slurm.conf" /proc/[0-9]*/environ |
            xargs --no-run-if-empty grep --files-with-matches --null-data "^SLURM_JOB_ID=" || true
    } 2>/dev/null | cut -d / -f 3 | sort --unique
}

start_daemon() {
    SLURM_CONF="$1/slurm.conf" "${@:2}" -f "$1/slurm.conf" 2>>"$1/start.log"
}

is_idle() {
    [[ "$(SLURM_CONF="$1/slurm.conf" timeout 5 sinfo --noheader --format=%T 2>/dev/null)" == idle ]]
}

start() {
    local command
    for command in slurmctld slurmd sbatch; do
        command -v "$command" >/dev/null ||
            fail "there is no $command" "apt-get install slurmctld slurmd slurm-client (scripts/bootstrap.sh --all-tests)"
    done
    mkdir -p "$1"/{state,spool}
    # Another program may take a port between choosing and opening it.
    for _ in 1 2 3; do
        write_configuration "$1"
        if start_daemon "$1" slurmctld -c && start_daemon "$1" slurmd; then
            for _ in {1..100}; do
                if is_idle "$1"; then
                    printf 'export SLURM_CONF=%q\n' "$1/slurm.conf"
                    return
                fi
                sleep 0.1
            done
        fi
        end_processes "$1"
    done
    cat "$1"/*.log >&2
    fail "the cluster did not start" "see its logs above"
}

# There is nothing in them to be saved.
end_processes() {
    local -a left
    for _ in {1..50}; do
        mapfile -t left < <(processes "$1")
        if ((${#left[@]} == 0)); then return; fi
        kill -KILL "${left[@]}" 2>/dev/null || true
        sleep 0.05
    done
}

stop() {
    [[ -e "$1/slurm.conf" ]] || fail "$1 has no slurm.conf" "name the folder that was given to start"
    end_processes "$1"
    rm -rf "$1"
}

[[ $# -eq 2 ]] || fail "wrong arguments" "scripts/private_slurm.sh start|stop|controller DIR"
[[ "$1" == start ]] && mkdir -p "$2"
folder="$(cd "$2" && pwd -P)"
case "$1" in
start) start "$folder" ;;
stop) stop "$folder" ;;
controller) start_daemon "$folder" slurmctld ;;
*) fail "there is no command $1" "scripts/private_slurm.sh start|stop|controller DIR" ;;
esac
