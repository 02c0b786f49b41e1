"""The file calls of the sandbox, driven by a guest written for the purpose."""

import pytest
import wasmtime

from vitrina.models3d.wasi import (
    EBADF,
    EINVAL,
    ENOENT,
    FIRST_FREE,
    FOLDER,
    SEEK_END,
    STDOUT,
    GuestExit,
    MemoryFiles,
    OutOfRoom,
)

PATH, RESULT, BUFFERS, DATA = 0, 64, 128, 256


class Guest:
    """Memory as a guest would have it, and its calls made from here."""

    def __init__(self, inputs: dict[str, bytes], room_bytes: int = 1000) -> None:
        store = wasmtime.Store()
        self.memory = wasmtime.Memory(store, wasmtime.MemoryType(wasmtime.Limits(1, 1)))
        self.store = store
        self.files = MemoryFiles(inputs, room_bytes)
        self.files.link(wasmtime.Linker(store.engine), store)
        self.files.attach(self.memory)

    def put(self, address: int, data: bytes) -> None:
        self.memory.write(self.store, data, address)

    def at(self, address: int, length: int) -> bytes:
        return bytes(self.memory.read(self.store, address, address + length))

    def number(self, address: int = RESULT) -> int:
        return int.from_bytes(self.at(address, 4), "little")

    def open(self, name: str, flags: int = 0) -> int:
        self.put(PATH, name.encode())
        return self.files.path_open32(FOLDER, 0, PATH, len(name), flags, 0, 0, 0, RESULT)

    def buffer(self, length: int) -> None:
        self.put(BUFFERS, DATA.to_bytes(4, "little") + length.to_bytes(4, "little"))

    def write(self, descriptor: int, data: bytes) -> int:
        self.put(DATA, data)
        self.buffer(len(data))
        return self.files.fd_write(descriptor, BUFFERS, 1, RESULT)


def test_a_file_is_read_from_where_one_stands() -> None:
    guest = Guest({"a.txt": b"hello"})
    assert guest.open("a.txt") == 0
    descriptor = guest.number()
    assert descriptor == FIRST_FREE
    assert guest.files.fd_seek32(descriptor, -3, SEEK_END, RESULT) == 0
    assert guest.number() == 2
    guest.buffer(100)
    assert guest.files.fd_read(descriptor, BUFFERS, 1, RESULT) == 0
    assert (guest.number(), guest.at(DATA, 3)) == (3, b"llo")


@pytest.mark.parametrize("name", ["b.txt", "/etc/passwd", "../a.txt", "", "a.txt/"])
def test_nothing_else_exists(name: str) -> None:
    guest = Guest({"a.txt": b"hello"})
    assert guest.open(name) == ENOENT


def test_a_new_file_appears_when_it_is_closed() -> None:
    guest = Guest({"a.txt": b"hello"})
    guest.open("b.txt", flags=1)
    descriptor = guest.number()
    assert guest.write(descriptor, b"abc") == 0
    assert guest.files.outputs == {}
    assert guest.files.fd_close(descriptor) == 0
    assert guest.files.outputs == {"b.txt": b"abc"}
    assert guest.files.inputs == {"a.txt": b"hello"}


def test_what_is_handed_in_cannot_be_changed() -> None:
    guest = Guest({"a.txt": b"hello"})
    guest.open("a.txt")
    assert guest.write(guest.number(), b"J") == EBADF


def test_room_is_bounded() -> None:
    guest = Guest({}, room_bytes=5)
    guest.open("b.txt", flags=1)
    descriptor = guest.number()
    assert guest.write(descriptor, b"abcd") == 0
    with pytest.raises(OutOfRoom):
        guest.write(descriptor, b"ef")


def test_what_is_said_goes_to_the_log() -> None:
    guest = Guest({})
    assert guest.write(STDOUT, b"Warning: ") == 0
    assert guest.write(STDOUT, b"odd") == 0
    assert bytes(guest.files.log) == b"Warning: odd"


def test_wrong_descriptors_and_places_are_errors() -> None:
    guest = Guest({"a.txt": b"hello"})
    guest.open("a.txt")
    assert guest.files.fd_close(99) == EBADF
    assert guest.files.fd_read(99, BUFFERS, 0, RESULT) == EBADF
    assert guest.files.fd_seek32(FIRST_FREE, 6, 0, RESULT) == EINVAL
    assert guest.files.fd_seek32(FIRST_FREE, 0, 7, RESULT) == EINVAL
    assert guest.files.fd_prestat_get(FIRST_FREE, RESULT) == EBADF


def test_exit_ends_the_guest() -> None:
    with pytest.raises(GuestExit, match="exit 3"):
        Guest({}).files.proc_exit(3)
