"""The little of an operating system that gltfpack's WebAssembly library asks for.

The library talks to the outside through eleven calls named after WASI preview 1 (two of them with
32-bit offsets instead of 64). Here they see one folder that lives in memory: the files handed in
can be read, new ones can be written, and nothing else exists. No path reaches the real disk,
there is no clock, no randomness, no environment.

A call gets numbers: file descriptors, and addresses in the guest's memory where texts, buffers and
results lie. It returns 0, or one of WASI's error numbers.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from wasmtime import Func, FuncType, Linker, Memory, Store, ValType

MODULE = "wasi_snapshot_preview1"
EBADF, EINVAL, ENOENT, ENOSYS = 8, 28, 44, 52
CHARACTER_DEVICE, DIRECTORY, REGULAR_FILE = 2, 3, 4
CREATE = 1  # the flag of path_open that asks for a new file
SEEK_SET, SEEK_CUR, SEEK_END = 0, 1, 2
STDOUT, STDERR, FOLDER, FIRST_FREE = 1, 2, 3, 4
# The library resolves plain names against a folder of this name, as its own JavaScript host does.
FOLDER_NAME = b"/gltfpack-$pwd"


class GuestExit(Exception):
    """The guest called ``exit``."""

    def __init__(self, code: int) -> None:
        super().__init__(f"exit {code}")


class OutOfRoom(Exception):
    """The guest wanted to write more than it may. It is ended: it would ignore an error number."""


@dataclass(slots=True)
class _Open:
    name: str
    data: bytearray | bytes
    position: int = 0
    is_new: bool = False


@dataclass(slots=True)
class MemoryFiles:
    """One folder of files for one run of a guest.

    ``inputs`` is what the guest may read, ``outputs`` what it has written and closed, ``log`` what
    it said on standard output and error. Together it may write ``room_bytes``.
    """

    inputs: Mapping[str, bytes]
    room_bytes: int
    outputs: dict[str, bytes] = field(default_factory=dict)
    log: bytearray = field(default_factory=bytearray)
    _open: dict[int, _Open] = field(default_factory=dict)
    _memory: Memory | None = None
    _store: Store | None = None

    def link(self, linker: Linker, store: Store) -> None:
        """Offer the eleven calls to a guest that is about to be instantiated."""
        self._store = store
        calls: list[tuple[Callable[..., int | None], int]] = [
            (self.path_open32, 9),
            (self.path_filestat_get, 5),
            (self.fd_seek32, 4),
            (self.fd_read, 4),
            (self.fd_write, 4),
            (self.fd_close, 1),
            (self.fd_fdstat_get, 2),
            (self.fd_fdstat_set_flags, 2),
            (self.fd_prestat_get, 2),
            (self.fd_prestat_dir_name, 3),
        ]
        number = ValType.i32()
        for call, arguments in calls:
            kind = FuncType([number] * arguments, [number])
            linker.define(store, MODULE, call.__name__, Func(store, kind, call))
        kind = FuncType([number], [])
        linker.define(store, MODULE, "proc_exit", Func(store, kind, self.proc_exit))

    def attach(self, memory: Memory) -> None:
        """Tell where the guest keeps its data, once it exists."""
        self._memory = memory

    def path_open32(
        self,
        folder: int,
        _lookup: int,
        path: int,
        path_bytes: int,
        flags: int,
        _rights: int,
        _inherited_rights: int,
        _descriptor_flags: int,
        result: int,
    ) -> int:
        """Open a file of the folder, or create one; ``result`` receives its descriptor."""
        if folder != FOLDER:
            return EBADF
        name = self._read(path, path_bytes).decode(errors="replace")
        if flags & CREATE:
            opened = _Open(name, bytearray(), is_new=True)
        elif name in self.inputs:
            opened = _Open(name, self.inputs[name])
        else:
            return ENOENT
        descriptor = max([FIRST_FREE - 1, *self._open]) + 1
        self._open[descriptor] = opened
        self._write_numbers(result, descriptor)
        return 0

    def path_filestat_get(
        self, folder: int, _flags: int, path: int, path_bytes: int, result: int
    ) -> int:
        """Tell what a path is; the guest only wants to know folders from files."""
        if folder != FOLDER:
            return EBADF
        is_folder = self._read(path, path_bytes) == b"."
        stat = bytearray(64)
        stat[16] = DIRECTORY if is_folder else REGULAR_FILE
        self._write(result, bytes(stat))
        return 0

    def fd_seek32(self, descriptor: int, offset: int, whence: int, result: int) -> int:
        """Move the place where the next read or write happens; ``offset`` may be negative."""
        opened = self._open.get(descriptor)
        if opened is None:
            return EBADF
        starts = {SEEK_SET: 0, SEEK_CUR: opened.position, SEEK_END: len(opened.data)}
        if whence not in starts or not 0 <= starts[whence] + offset <= len(opened.data):
            return EINVAL
        opened.position = starts[whence] + offset
        self._write_numbers(result, opened.position)
        return 0

    def fd_read(self, descriptor: int, buffers: int, count: int, result: int) -> int:
        """Fill ``count`` buffers, each given by address and length, and tell how much it was."""
        opened = self._open.get(descriptor)
        if opened is None:
            return EBADF
        total = 0
        for address, length in self._buffers(buffers, count):
            part = bytes(opened.data[opened.position : opened.position + length])
            self._write(address, part)
            opened.position += len(part)
            total += len(part)
        self._write_numbers(result, total)
        return 0

    def fd_write(self, descriptor: int, buffers: int, count: int, result: int) -> int:
        """Append or overwrite from ``count`` buffers; standard output and error go to the log."""
        opened = self._open.get(descriptor)
        total = 0
        for address, length in self._buffers(buffers, count):
            if length > self.room_bytes:
                raise OutOfRoom
            self.room_bytes -= length
            part = self._read(address, length)
            total += length
            if descriptor in (STDOUT, STDERR):
                self.log += part
            elif opened is None or not isinstance(opened.data, bytearray):
                return EBADF
            else:
                opened.data[opened.position : opened.position + length] = part
                opened.position += length
        self._write_numbers(result, total)
        return 0

    def fd_close(self, descriptor: int) -> int:
        """Close a file; a new one becomes visible in ``outputs`` now."""
        opened = self._open.pop(descriptor, None)
        if opened is None:
            return EBADF
        if opened.is_new:
            self.outputs[opened.name] = bytes(opened.data)
        return 0

    def fd_fdstat_get(self, descriptor: int, result: int) -> int:
        """Tell what a descriptor stands for."""
        kinds = {STDOUT: CHARACTER_DEVICE, STDERR: CHARACTER_DEVICE, FOLDER: DIRECTORY}
        if descriptor not in kinds and descriptor not in self._open:
            return EBADF
        self._write(result, bytes([kinds.get(descriptor, REGULAR_FILE)]) + bytes(23))
        return 0

    def fd_fdstat_set_flags(self, _descriptor: int, _flags: int) -> int:
        """Change a descriptor's flags: not offered."""
        return ENOSYS

    def fd_prestat_get(self, descriptor: int, result: int) -> int:
        """Tell the length of a folder's name; the guest asks for descriptors until one is bad."""
        if descriptor != FOLDER:
            return EBADF
        self._write_numbers(result, 0, len(FOLDER_NAME))
        return 0

    def fd_prestat_dir_name(self, descriptor: int, address: int, length: int) -> int:
        """Tell a folder's name."""
        if descriptor != FOLDER:
            return EBADF
        if length != len(FOLDER_NAME):
            return EINVAL
        self._write(address, FOLDER_NAME)
        return 0

    def proc_exit(self, code: int) -> None:
        """End the guest at once."""
        raise GuestExit(code)

    def _buffers(self, address: int, count: int) -> list[tuple[int, int]]:
        return list(struct.iter_unpack("<II", self._read(address, 8 * count)))

    # The guest's addresses arrive as signed 32-bit numbers.

    def _read(self, address: int, length: int) -> bytes:
        assert self._memory is not None and self._store is not None
        start, length = address & 0xFFFFFFFF, length & 0xFFFFFFFF
        return bytes(self._memory.read(self._store, start, start + length))

    def _write(self, address: int, data: bytes) -> None:
        assert self._memory is not None and self._store is not None
        self._memory.write(self._store, data, address & 0xFFFFFFFF)

    def _write_numbers(self, address: int, *values: int) -> None:
        self._write(address, struct.pack(f"<{len(values)}I", *values))
