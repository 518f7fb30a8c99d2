"""What a confined process may ask of the kernel: x86-64 system calls by name, and who may use them.

An allowlist: what is not named here answers ENOSYS, as on an older kernel, so a call that Linux
gains tomorrow is refused without a new version of Caret. What only an attack uses ends the process
instead (:data:`DEADLY`), so that it fails even where the program would have caught the error.
Calls that need a look at their arguments are in :mod:`eval.execution.seccomp`. Data only; standard
library only, because the fork server imports it.
"""

from __future__ import annotations


def _words(text: str) -> list[str]:
    return text.split()


NUMBERS = {
    name: int(number)
    for pair in _words("""
    read:0 write:1 open:2 close:3 stat:4 fstat:5 lstat:6 poll:7 lseek:8 mmap:9 mprotect:10 munmap:11
    brk:12 rt_sigaction:13 rt_sigprocmask:14 rt_sigreturn:15 ioctl:16 pread64:17 pwrite64:18
    readv:19 writev:20 access:21 pipe:22 select:23 sched_yield:24 mremap:25 msync:26 mincore:27
    madvise:28 shmget:29 shmat:30 shmctl:31 dup:32 dup2:33 pause:34 nanosleep:35 getitimer:36
    alarm:37 setitimer:38 getpid:39 sendfile:40 socket:41 connect:42 accept:43 sendto:44
    recvfrom:45 sendmsg:46 recvmsg:47 bind:49 listen:50 socketpair:53 clone:56 fork:57 vfork:58
    execve:59 exit:60 wait4:61 kill:62 uname:63 semget:64 msgget:68 fcntl:72 flock:73 fsync:74
    fdatasync:75 truncate:76 ftruncate:77 getdents:78 getcwd:79 chdir:80 fchdir:81 rename:82
    mkdir:83 rmdir:84 creat:85 link:86 unlink:87 symlink:88 readlink:89 chmod:90 fchmod:91
    chown:92 fchown:93 lchown:94 umask:95 gettimeofday:96 getrlimit:97 getrusage:98 sysinfo:99
    times:100 ptrace:101 getuid:102 syslog:103 getgid:104 setuid:105 setgid:106 geteuid:107
    getegid:108 setpgid:109 getppid:110 getpgrp:111 setsid:112 setreuid:113 setregid:114
    getgroups:115 setgroups:116 setresuid:117 getresuid:118 setresgid:119 getresgid:120 getpgid:121
    setfsuid:122 setfsgid:123 getsid:124 capget:125 capset:126 rt_sigpending:127
    rt_sigtimedwait:128 rt_sigqueueinfo:129 rt_sigsuspend:130 sigaltstack:131 utime:132 mknod:133
    personality:135 statfs:137 fstatfs:138 getpriority:140 setpriority:141 sched_setparam:142
    sched_getparam:143 sched_setscheduler:144 sched_getscheduler:145 sched_get_priority_max:146
    sched_get_priority_min:147 sched_rr_get_interval:148 pivot_root:155 prctl:157 arch_prctl:158
    setrlimit:160 chroot:161 acct:163 settimeofday:164 mount:165 umount2:166 swapon:167 swapoff:168
    reboot:169 sethostname:170 iopl:172 ioperm:173 init_module:175 delete_module:176 gettid:186
    setxattr:188 lsetxattr:189 fsetxattr:190 removexattr:197 lremovexattr:198 fremovexattr:199
    tkill:200 time:201 futex:202 sched_setaffinity:203 sched_getaffinity:204 epoll_create:213
    getdents64:217 set_tid_address:218 restart_syscall:219 fadvise64:221 clock_settime:227
    clock_gettime:228 clock_getres:229 clock_nanosleep:230 exit_group:231 epoll_wait:232
    epoll_ctl:233 tgkill:234 utimes:235 mq_open:240 kexec_load:246 waitid:247 add_key:248
    request_key:249 keyctl:250 openat:257 mkdirat:258 mknodat:259 fchownat:260 futimesat:261
    newfstatat:262 unlinkat:263 renameat:264 linkat:265 symlinkat:266 readlinkat:267 fchmodat:268
    faccessat:269 pselect6:270 ppoll:271 unshare:272 set_robust_list:273 get_robust_list:274
    utimensat:280 epoll_pwait:281 eventfd:284 fallocate:285 eventfd2:290 epoll_create1:291 dup3:292
    pipe2:293 preadv:295 pwritev:296 rt_tgsigqueueinfo:297 perf_event_open:298 fanotify_init:300
    prlimit64:302 name_to_handle_at:303 open_by_handle_at:304 setns:308 getcpu:309
    process_vm_readv:310 process_vm_writev:311 finit_module:313 renameat2:316 getrandom:318
    kexec_file_load:320 bpf:321 execveat:322 userfaultfd:323 membarrier:324 copy_file_range:326
    preadv2:327 pwritev2:328 statx:332 rseq:334 pidfd_send_signal:424 io_uring_setup:425
    io_uring_enter:426 io_uring_register:427 open_tree:428 move_mount:429 fsopen:430 fsmount:432
    pidfd_open:434 clone3:435 close_range:436 pidfd_getfd:438 faccessat2:439 process_madvise:440
    mount_setattr:442 process_mrelease:448 fchmodat2:452
    """)
    for name, number in [pair.split(":")]
}
"""The kernel's numbers; they never change."""

ALLOWED = frozenset(
    _words("""
    read write close stat fstat lstat poll lseek mmap mprotect munmap brk rt_sigaction
    rt_sigprocmask rt_sigreturn pread64 pwrite64 readv writev access pipe select sched_yield mremap
    msync mincore madvise dup dup2 pause nanosleep getitimer alarm setitimer getpid sendfile exit
    wait4 waitid uname flock fsync fdatasync ftruncate getdents getcwd chdir fchdir rename mkdir
    rmdir creat link unlink symlink readlink umask gettimeofday getrlimit setrlimit getrusage
    sysinfo times getuid getgid geteuid getegid getppid getpgrp getgroups getresuid getresgid
    getpgid getsid capget rt_sigpending rt_sigtimedwait rt_sigsuspend sigaltstack statfs fstatfs
    getpriority sched_getparam sched_getscheduler sched_get_priority_max sched_get_priority_min
    sched_rr_get_interval arch_prctl gettid time futex sched_getaffinity epoll_create getdents64
    set_tid_address restart_syscall fadvise64 clock_gettime clock_getres clock_nanosleep exit_group
    epoll_wait epoll_ctl mkdirat newfstatat unlinkat renameat linkat symlinkat readlinkat faccessat
    pselect6 ppoll set_robust_list get_robust_list epoll_pwait eventfd fallocate eventfd2
    epoll_create1 dup3 pipe2 preadv pwritev getcpu renameat2 getrandom membarrier copy_file_range
    preadv2 pwritev2 statx rseq close_range faccessat2
    """)
)
"""For every policy. The file system behind them is Landlock's."""

REFUSED = frozenset(
    _words("""
    truncate chmod fchmod fchmodat fchmodat2 chown fchown lchown fchownat utime utimes futimesat
    utimensat setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr mknod mknodat
    setpgid setsid setpriority sched_setparam sched_setscheduler setuid setgid setreuid setregid
    setgroups setresuid setresgid setfsuid setfsgid capset personality syslog
    """)
)
"""Answered EPERM. The first lines change files through paths and descriptors that Landlock does not
look at (modes, owners, times, and before its third version lengths)."""

DEADLY = frozenset(
    _words("""
    socket connect accept sendto recvfrom sendmsg recvmsg bind listen socketpair shmget shmat shmctl
    semget msgget mq_open fork vfork execve execveat ptrace rt_sigqueueinfo rt_tgsigqueueinfo
    pivot_root chroot acct settimeofday clock_settime mount umount2 swapon swapoff reboot
    sethostname iopl ioperm init_module finit_module delete_module kexec_load kexec_file_load
    add_key request_key keyctl unshare setns perf_event_open fanotify_init name_to_handle_at
    open_by_handle_at process_vm_readv process_vm_writev bpf userfaultfd pidfd_send_signal
    io_uring_setup io_uring_enter io_uring_register open_tree move_mount fsopen fsmount pidfd_open
    pidfd_getfd process_madvise mount_setattr process_mrelease
    """)
)
"""The process is ended by SIGSYS."""

EXTRA: dict[str, frozenset[str]] = {
    "python": frozenset(),
    "native": frozenset({"execve"}),
    "java": frozenset({"execve", "socketpair"}),
    "tools": frozenset({"execve", "fork", "vfork", "chmod", "fchmod", "socketpair"}),
}
"""Policies, and what each may beyond :data:`ALLOWED`. ``python`` runs in the fork's own process.
``native`` needs ``execve`` to start at all; what it could start with it again is as confined as
itself. ``tools`` are compilers, which run helpers and mark what they wrote as executable. Java's file
channels make a pair of sockets that lead nowhere else, to close others with."""

SOFTER: dict[str, frozenset[str]] = {
    "python": frozenset(),
    "native": frozenset(),
    "java": frozenset({"socket", "fork", "vfork"}),
    "tools": frozenset({"socket"}),
}
"""Of the deadly ones, what a policy answers EPERM: a Java machine asks the name service for the
user's name over a socket when it starts, and does without an answer."""
