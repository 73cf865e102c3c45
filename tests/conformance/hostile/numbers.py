"""Numbers of system calls, for programs that ask the kernel without a library in between."""

import platform

_X86_64 = {
    "acct": 163, "add_key": 248, "bpf": 321, "capset": 126, "clone": 56, "clone3": 435, "delete_module": 176,
    "epoll_create1": 291, "eventfd2": 290, "execveat": 322, "fanotify_init": 300, "fork": 57, "fsopen": 430,
    "getpid": 39, "init_module": 175, "inotify_init1": 294, "io_setup": 206, "io_uring_setup": 425, "ioperm": 173,
    "ioprio_get": 252, "ioprio_set": 251, "kcmp": 312, "kexec_load": 246, "keyctl": 250,
    "memfd_create": 319, "memfd_secret": 447, "mincore": 27, "modify_ldt": 154, "mount": 165, "mq_open": 240,
    "mq_unlink": 241, "msgctl": 71, "msgget": 68, "name_to_handle_at": 303, "openat": 257, "openat2": 437,
    "perf_event_open": 298, "personality": 135, "pidfd_getfd": 438, "pidfd_open": 434, "pidfd_send_signal": 424,
    "pivot_root": 155, "pkey_mprotect": 329, "process_vm_readv": 310, "process_vm_writev": 311, "ptrace": 101,
    "quotactl": 179, "reboot": 169, "request_key": 249, "rt_sigqueueinfo": 129, "sched_setscheduler": 144,
    "seccomp": 317, "semctl": 66, "semget": 64, "set_mempolicy": 238, "setgroups": 116, "sethostname": 170,
    "setns": 308, "shmat": 30, "shmctl": 31, "shmget": 29, "signalfd4": 289, "statx": 332, "swapon": 167,
    "syslog": 103, "tgkill": 234, "timerfd_create": 283, "unshare": 272, "userfaultfd": 323,

}  # fmt: skip

_AARCH64 = {
    "acct": 89, "add_key": 217, "bpf": 280, "capset": 91, "clone": 220, "clone3": 435, "delete_module": 106,
    "epoll_create1": 20, "eventfd2": 19, "execveat": 281, "fanotify_init": 262, "fsopen": 430, "getpid": 172,
    "init_module": 105, "inotify_init1": 26, "io_setup": 0, "io_uring_setup": 425, "ioprio_get": 31, "ioprio_set": 30,
    "kcmp": 272, "kexec_load": 104, "keyctl": 219, "memfd_create": 279, "memfd_secret": 447, "mincore": 232,
    "mount": 40, "mq_open": 180, "mq_unlink": 181, "msgctl": 187, "msgget": 186, "name_to_handle_at": 264,
    "openat": 56, "openat2": 437, "perf_event_open": 241, "personality": 92, "pidfd_getfd": 438, "pidfd_open": 434,
    "pidfd_send_signal": 424, "pivot_root": 41, "pkey_mprotect": 288, "process_vm_readv": 270,
    "process_vm_writev": 271, "ptrace": 117, "quotactl": 60, "reboot": 142, "request_key": 218,
    "rt_sigqueueinfo": 138, "sched_setscheduler": 119, "seccomp": 277, "semctl": 191, "semget": 190,
    "set_mempolicy": 237, "setgroups": 159, "sethostname": 161, "setns": 268, "shmat": 196, "shmctl": 195,
    "shmget": 194, "signalfd4": 74, "statx": 291, "swapon": 224, "syslog": 116, "tgkill": 131, "timerfd_create": 85,
    "unshare": 97, "userfaultfd": 282,
}  # fmt: skip

_IS_ARM = platform.machine() in ("aarch64", "arm64")
NUMBERS = _AARCH64 if _IS_ARM else _X86_64
"""The numbers on this machine, by name; those that it does not have are missing."""

RETURNS_42 = bytes.fromhex("40058052c0035fd6" if _IS_ARM else "b82a000000c3")
"""Machine code of a function that returns 42."""
