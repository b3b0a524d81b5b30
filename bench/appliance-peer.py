"""The C library's half of the appliance benchmark: does what the lines on standard input say, by python3-guestfs.

Each line is a JSON object with `do`; each answer is one, with `seconds`, or `failed` and why. The same as
appliance-program.ts.
"""

import json
import sys
import time

import guestfs

handle = None


def make(request):
    g = guestfs.GuestFS(python_return_dict=True)
    g.set_backend("direct")
    g.set_backend_settings(request["settings"])
    g.add_drive_scratch(request["driveInBytes"])
    return g


def version(_request):
    found = guestfs.GuestFS(python_return_dict=True).version()
    return {"version": f"{found['major']}.{found['minor']}.{found['release']}"}


def launch(request):
    g = make(request)
    start = time.perf_counter()
    g.launch()
    seconds = time.perf_counter() - start
    g.close()
    return {"seconds": seconds}


def ready(request):
    """Launches a handle that stays, with an ext4, a null device and a small file."""
    global handle
    handle = make(request)
    handle.launch()
    handle.mke2fs("/dev/sda", fstype="ext4")
    handle.mount("/dev/sda", "/")
    handle.mknod_c(0o666, 1, 3, "/null")
    handle.touch("/small")
    return {}


def guest_seconds():
    """Processor time of the appliance's qemu: proc(5), in clock ticks of 10 ms."""
    with open(f"/proc/{handle.get_pid()}/stat", encoding="latin1") as file:
        fields = file.read().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def measured(work):
    guest = guest_seconds()
    before = time.process_time()
    start = time.perf_counter()
    work()
    seconds = time.perf_counter() - start
    processor = time.process_time() - before
    return {"seconds": seconds, "processor": processor, "guest": guest_seconds() - guest}


def upload(request):
    taken = measured(lambda: handle.upload(request["host"], request["guest"]))
    handle.sync()
    return taken


def download(request):
    return measured(lambda: handle.download(request["guest"], request["host"]))


def is_there(count):
    for _ in range(count):
        if not handle.is_file("/small"):
            raise RuntimeError("/small is not there")


def calls(request):
    return measured(lambda: is_there(request["count"]))


def close(_request):
    handle.close()
    return {}


work = {f.__name__: f for f in (version, launch, ready, upload, download, calls, close)}

for line in sys.stdin:
    request = json.loads(line)
    try:
        answer = work[request["do"]](request)
    except Exception as error:  # told to the benchmark, which shows it
        answer = {"failed": str(error)}
    print(json.dumps(answer), flush=True)
