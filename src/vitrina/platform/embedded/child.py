"""Becomes another program: one that ends with whoever started it, and need not be root.

Run by its path with ``python -I -S``, so it starts in 20 ms and imports nothing of ours::

    child.py PARENT_PID SIGNAL USER PROGRAM [ARGUMENT ...]

``SIGNAL`` is the number the program gets when the parent ends, however that ends. ``USER`` is
``-`` to stay who we are, ``UID:GID`` to become somebody else, or ``UID:GID:reach`` to become
somebody else who may still walk through folders closed to him: a checkout below root's home.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time

# Linux: <linux/prctl.h>, <linux/securebits.h>, <linux/capability.h>
PR_SET_PDEATHSIG, PR_SET_SECUREBITS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 1, 28, 47, 2
SECBIT_NO_SETUID_FIXUP = 1 << 2
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2
CAPABILITY_VERSION_3 = 0x20080522


def main(arguments: list[str]) -> None:
    parent, end, user, *program = arguments
    if user != "-":
        become(user)
    if sys.platform == "linux":
        # Only after the change of user: the kernel forgets the wish when credentials change.
        prctl(PR_SET_PDEATHSIG, int(end))
        if os.getppid() != int(parent):
            return  # it ended before the wish was made
        try:
            os.execv(program[0], program)  # noqa: S606
        except OSError as error:
            sys.exit(f"cannot run {program[0]}: {error.strerror}")
    watch(int(parent), int(end), program)


def become(user: str) -> None:
    """Give up root for ``UID:GID``, keeping with ``:reach`` the right to walk and read."""
    uid, gid, *reach = user.split(":")
    if reach:
        # Rights survive the change of user, and access(2) counts them: PostgreSQL asks it whether
        # its own programs may be run.
        with contextlib.suppress(PermissionError):
            prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
    os.setgroups([])
    os.setgid(int(gid))
    os.setuid(int(uid))
    # Containers are often left without the weaker of the two.
    if reach and not (keep_only(CAP_DAC_READ_SEARCH) or keep_only(CAP_DAC_OVERRIDE)):
        sys.exit(
            "This root may not lend its right to enter closed folders (CAP_DAC_READ_SEARCH). Move"
            " the shop to folders that everybody may enter, or start it as an ordinary user."
        )


def keep_only(capability: int) -> bool:
    """Hold one capability, and hand it to the program we become. False when it is not ours."""
    bit = 1 << capability
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    # Effective, permitted and inheritable, for capabilities 0 to 31 and then 32 to 63.
    sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    if ctypes.CDLL(None, use_errno=True).capset(header, sets):
        return False
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)
    return True


def prctl(option: int, *arguments: int) -> None:
    words = [ctypes.c_ulong(word) for word in (*arguments, 0, 0, 0, 0)[:4]]
    if ctypes.CDLL(None, use_errno=True).prctl(option, *words):
        number = ctypes.get_errno()
        raise OSError(number, f"prctl({option}): {os.strerror(number)}")


def watch(parent: int, end: int, program: list[str]) -> None:
    """Where the kernel does not tell of a parent's end: stay beside the program and look."""
    running = subprocess.Popen(program, close_fds=False)  # what it inherits is meant for it
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, lambda received, _: running.send_signal(received))
    while running.poll() is None:
        if os.getppid() != parent:
            running.send_signal(end)
            end = signal.SIGKILL  # it had its chance by the next look
        time.sleep(0.5)
    sys.exit(running.returncode if running.returncode >= 0 else 128 - running.returncode)


if __name__ == "__main__":
    main(sys.argv[1:])
