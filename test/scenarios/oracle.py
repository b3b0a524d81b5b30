#!/usr/bin/python3
"""Runs scenarios through the real libguestfs: {drives, writes, scenarios, results} as JSON on stdin, the outcomes on stdout.

One launch for all scenarios; needs guestfs for Python and its appliance. Errors carry the number that libguestfs keeps,
which the binding does not show: it is asked of the C library directly, as are results that are no UTF-8.
"""
import base64, ctypes, fcntl, hashlib, json, os, shutil, stat, sys, tempfile, warnings
import guestfs

os.environ.setdefault('LIBGUESTFS_BACKEND', 'direct')
os.environ.setdefault('LIBGUESTFS_BACKEND_SETTINGS', 'force_tcg')
warnings.simplefilter('ignore')  # the binding warns of deprecated actions
library = ctypes.CDLL('libguestfs.so.0')
libc = ctypes.CDLL(None)
pointer = ctypes.pythonapi.PyCapsule_GetPointer
pointer.restype, pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]
capsuleName = ctypes.pythonapi.PyCapsule_GetName
capsuleName.restype, capsuleName.argtypes = ctypes.c_char_p, [ctypes.py_object]
library.guestfs_last_errno.argtypes = [ctypes.c_void_p]
library.guestfs_last_error.argtypes = [ctypes.c_void_p]
library.guestfs_last_error.restype = ctypes.c_char_p


class Failure(Exception):
    def __init__(self, number, message):
        self.number, self.message = number, message


def text(raw):
    return raw.decode('utf-8', 'surrogateescape')


def plain(value, kind=None):
    if isinstance(value, bytes):
        return {'bytes': base64.b64encode(value).decode()}
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        if kind == 'bool':
            return value != 0
        return value if abs(value) <= 2 ** 53 - 1 else str(value)
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {key: None if isinstance(each, float) and each < 0 else plain(each) for key, each in value.items()}
    return value


def tree(directory):
    """What is in a host directory: the same as run.ts tells."""
    found = []
    for path, directories, files in os.walk(os.fsencode(directory)):
        for name in directories + files:
            full = os.path.join(path, name)
            facts = os.lstat(full)
            content = hashlib.sha256(open(full, 'rb').read()).hexdigest() if stat.S_ISREG(facts.st_mode) else ''
            link = os.readlink(full).decode('latin1') if stat.S_ISLNK(facts.st_mode) else ''
            relative = os.path.relpath(full, os.fsencode(directory)).decode('latin1')
            found.append([relative, facts.st_mode, facts.st_uid, facts.st_gid, int(facts.st_mtime // 1), content, link])
    return sorted(found)


def direct(handle, action, args, kind):
    """A call with names or a result that are no UTF-8, past the binding."""
    encode = lambda value: value.encode('utf-8', 'surrogateescape') if isinstance(value, str) else value
    function = getattr(library, 'guestfs_' + action)
    if kind == 'stringList':
        function.restype = ctypes.POINTER(ctypes.c_char_p)
        result = function(handle, *map(encode, args))
        if not result:
            raise Failure(library.guestfs_last_errno(handle), text(library.guestfs_last_error(handle)))
        found = []
        while result[len(found)] is not None:
            found.append(text(result[len(found)]))
        return found
    if kind == 'string':
        function.restype = ctypes.c_char_p
        result = function(handle, *map(encode, args))
        if result is None:
            raise Failure(library.guestfs_last_errno(handle), text(library.guestfs_last_error(handle)))
        return text(result)
    if kind == 'buffer':
        size = ctypes.c_size_t()
        function.restype = ctypes.c_void_p
        result = function(handle, *map(encode, args), ctypes.byref(size))
        if not result:
            raise Failure(library.guestfs_last_errno(handle), text(library.guestfs_last_error(handle)))
        return ctypes.string_at(result, size.value)
    if kind == 'structList':
        class Entry(ctypes.Structure):
            _fields_ = [('ino', ctypes.c_int64), ('ftyp', ctypes.c_char), ('name', ctypes.c_char_p)]

        class Entries(ctypes.Structure):
            _fields_ = [('length', ctypes.c_uint32), ('entries', ctypes.POINTER(Entry))]

        assert action == 'readdir', action
        function.restype = ctypes.POINTER(Entries)
        entries = function(handle, *map(encode, args)).contents
        return [
            {'ino': entry.ino, 'ftyp': text(entry.ftyp), 'name': text(entry.name)}
            for entry in entries.entries[: entries.length]
        ]
    if kind == 'struct':
        function.restype = ctypes.POINTER(ctypes.c_int64)
        result = function(handle, *map(encode, args))
        assert action in ('statns', 'lstatns'), action
        names = 'dev ino mode nlink uid gid rdev size blksize blocks atime_sec atime_nsec mtime_sec mtime_nsec ctime_sec ctime_nsec spare1 spare2 spare3 spare4 spare5 spare6'
        if not result:
            raise Failure(library.guestfs_last_errno(handle), text(library.guestfs_last_error(handle)))
        return {'st_' + name: result[index] for index, name in enumerate(names.split())}
    raise Failure(-1, 'no way to call %s past the binding' % action)


def run(g, handle, step, kind, lasting):
    action, *given = step
    directory = tempfile.mkdtemp()
    options, args, answer = {}, [], None
    try:
        for argument in given:
            if isinstance(argument, dict) and argument == {'out': True}:
                path = os.path.join(directory, 'out')
                answer = lambda path=path: open(path, 'rb').read()
                args.append(path)
            elif isinstance(argument, dict) and argument == {'outDirectory': True}:
                answer = lambda: tree(directory)
                args.append(directory)
            elif isinstance(argument, dict) and 'hostFile' in argument:
                path = os.path.join(directory, 'in')
                open(path, 'wb').write(base64.b64decode(argument['hostFile']))
                args.append(path)
            elif isinstance(argument, dict) and 'kept' in argument:
                args.append(os.path.join(lasting, argument['kept']))
            elif isinstance(argument, dict) and 'bytes' in argument:
                args.append(base64.b64decode(argument['bytes']))
            elif isinstance(argument, dict):
                options = argument
            else:
                args.append(argument)
        if not hasattr(g, action):
            return {'absent': 'not in libguestfs %(major)d.%(minor)d.%(release)d' % g.version()}
        try:
            try:
                value = getattr(g, action)(*args, **options)
            except UnicodeError:
                value = direct(handle, action, args, kind)
        except (TypeError, OverflowError) as refusal:
            return {'absent': 'refused by the binding: %s' % refusal}
        except RuntimeError as failure:
            return {'errno': library.guestfs_last_errno(handle), 'message': str(failure)}
        except Failure as failure:
            return {'errno': failure.number, 'message': failure.message}
        return {'value': plain(answer()) if answer else plain(value, kind)}
    finally:
        if not g.is_ready():
            raise Exception('the appliance ended in %s' % json.dumps(step))
        shutil.rmtree(directory)


def main():
    wanted = json.load(sys.stdin)
    # One appliance at a time on a machine.
    with open(os.environ.get('GUESTFISH_LOCK', '/tmp/guestfish.lock'), 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        g = guestfs.GuestFS(python_return_dict=True)
        for drive in wanted['drives']:
            options = {key: drive[key] for key in ('label', 'blocksize') if key in drive}
            g.add_drive_opts(drive['path'], readonly=not wanted['writes'], format=drive['format'], **options)
        g.launch()
        handle = pointer(g._o, capsuleName(g._o))
        outcomes = []
        for scenario in wanted['scenarios']:
            g.umount_all()
            if wanted['writes']:
                g.lvm_remove_all()
            if 'mounted' in scenario:
                (g.mount if wanted['writes'] else g.mount_ro)(scenario['mounted'], '/')
            with tempfile.TemporaryDirectory() as lasting:
                outcomes.append(
                    [run(g, handle, step, wanted['results'][step[0]], lasting) for step in scenario['steps']]
                )
        g.close()
    json.dump(outcomes, sys.stdout)


main()
