/** What is measured, and how good it must be. */
import { formatJobs } from './format-jobs.js';
import { fish, idleThread, type Job, readBig, tcg } from './job.js';
import { writeJobs, writeLibraryJobs } from './write-jobs.js';

/** The root partition of the Debian image, for tools that want a bare filesystem: 131072 sectors in. */
const root = { debugfs: '"$I/debian.raw?offset=67108864"', sectors: 131072 };
const fishBig = (image: string, format: string) =>
  `${fish}${format} -a $I/${image} -m /dev/sda download /big.bin /dev/null`;

/** A job that only reads: on `auto` it costs what it does on the embedded backend. */
const onAuto = (id: string, title: string, line: string): Job => ({
  id: `auto-${id}`,
  group: 'auto',
  title: `${title}, on auto`,
  images: ['debian.qcow2'],
  ours: `export LIBGUESTFS_BACKEND=auto; ${line}`,
  peers: { 'own embedded': line },
  must: [{ peer: 'own embedded', times: 1.03, clock: 'processorSeconds' }],
  aim: [{ peer: 'own embedded', times: 1, clock: 'processorSeconds' }],
});

export const jobs: Job[] = [
  {
    id: 'first-file',
    title: 'first file, A qcow2',
    images: ['debian.qcow2'],
    ours: '$G cat $I/debian.qcow2:/etc/os-release -m /dev/sda2',
    peers: {
      libguestfs: `${fish}qcow2 -a $I/debian.qcow2 -m /dev/sda2 cat /etc/os-release`,
      '7-Zip': '7z e -so $I/debian.qcow2 1.root.img > $T/root.img && 7z e -so $T/root.img usr/lib/os-release',
      'Node and a thread': idleThread,
    },
    reference: { dissect: 0.223 },
    must: [
      { peer: 'libguestfs', times: 1 / 50 },
      { peer: 'dissect', times: 0.9 },
    ],
    aim: [{ peer: 'libguestfs', times: 1 / 90 }],
  },
  {
    id: 'first-file-raw',
    title: 'first file, A raw',
    images: ['debian.raw'],
    ours: '$G cat $I/debian.raw:/etc/os-release -m /dev/sda2',
    peers: {
      libguestfs: `${fish}raw -a $I/debian.raw -m /dev/sda2 cat /etc/os-release`,
      debugfs: `debugfs -R 'cat /etc/os-release' ${root.debugfs}`,
      TSK: `icat -o ${root.sectors} $I/debian.raw $(ifind -o ${root.sectors} -n usr/lib/os-release $I/debian.raw)`,
    },
    reference: { dissect: 0.127 },
    must: [{ peer: 'libguestfs', times: 1 / 50 }],
    aim: [{ peer: 'libguestfs', times: 1 / 90 }],
  },
  {
    id: 'first-file-inspect',
    title: 'first file, A qcow2, mounted by inspection',
    images: ['debian.qcow2'],
    ours: '$G cat $I/debian.qcow2:/etc/os-release -i',
    peers: { libguestfs: `${fish}qcow2 -i -a $I/debian.qcow2 cat /etc/os-release` },
    must: [{ peer: 'libguestfs', times: 1 / 50 }],
    aim: [{ peer: 'libguestfs', times: 1 / 90 }],
  },
  {
    id: 'inspect',
    title: 'inspect with packages, A',
    images: ['debian.qcow2'],
    ours: '$G inspect $I/debian.qcow2 --json',
    peers: { libguestfs: `${tcg} virt-inspector --no-icon --format=qcow2 -a $I/debian.qcow2` },
    reference: { dissect: 2.35 },
    must: [
      { peer: 'libguestfs', times: 1 / 40 },
      { peer: 'dissect', times: 1 / 4 },
    ],
    aim: [{ peer: 'libguestfs', times: 1 / 80 }],
  },
  {
    id: 'walk-b',
    title: 'walk with stat, B (100,000 files)',
    images: ['many.raw'],
    ours: '$G find $I/many.raw:/ -m /dev/sda --json',
    peers: {
      libguestfs: `${tcg} virt-ls --format=raw -a $I/many.raw -m /dev/sda -lR /`,
      TSK: 'fls -r -l $I/many.raw',
      '7-Zip': '7z l -slt $I/many.raw',
    },
    reference: { dissect: 3.6, debugfs: 0.336 },
    must: [{ peer: 'TSK', times: 2 }],
    aim: [{ peer: 'TSK', times: 1 }],
  },
  {
    id: 'walk-a',
    title: 'walk with stat, A',
    images: ['debian.raw'],
    ours: '$G find $I/debian.raw:/ -m /dev/sda2 --json',
    peers: {
      libguestfs: `${tcg} virt-ls --format=raw -a $I/debian.raw -m /dev/sda2 -lR /`,
      TSK: `fls -r -l -o ${root.sectors} $I/debian.raw`,
      find: 'find $I/work/rootfs -ls',
      'Node and a thread': idleThread,
    },
    reference: { dissect: 0.747, debugfs: 0.077 },
    must: [{ peer: 'TSK', times: 3 }],
    aim: [{ peer: 'TSK', times: 1.3 }],
  },
  {
    id: 'read-raw',
    title: 'read 1 GiB, C raw',
    images: ['big.raw'],
    prepare: 'debugfs -R "dump /big.bin $T/big.bin" $I/big.raw && [ -s $T/big.bin ]',
    ours: readBig('big.raw'),
    peers: {
      libguestfs: fishBig('big.raw', 'raw'),
      debugfs: "debugfs -R 'cat /big.bin' $I/big.raw",
      TSK: 'icat $I/big.raw 12',
      '7-Zip': '7z e -so $I/big.raw big.bin',
      cat: 'cat $T/big.bin',
      'Node and a thread': idleThread,
    },
    reference: { dissect: 0.36 },
    must: [{ peer: '7-Zip', times: 2 }],
    aim: [{ peer: '7-Zip', times: 1.3 }],
  },
  {
    id: 'read-qcow2',
    title: 'read 1 GiB, C qcow2',
    images: ['big.qcow2'],
    ours: readBig('big.qcow2'),
    peers: {
      libguestfs: fishBig('big.qcow2', 'qcow2'),
      '7-Zip': '7z e -so $I/big.qcow2',
      'Node and a thread': idleThread,
      'qemu-img': 'qemu-img convert -f qcow2 -O raw $I/big.qcow2 $T/out.raw',
    },
    reference: { dissect: 0.67 },
    must: [{ peer: '7-Zip', times: 2 }],
    aim: [{ peer: '7-Zip', times: 1.3 }],
  },
  {
    id: 'read-qcow2-zlib',
    title: 'read 1 GiB, C qcow2 zlib',
    images: ['big-zlib.qcow2'],
    ours: readBig('big-zlib.qcow2'),
    peers: {
      libguestfs: fishBig('big-zlib.qcow2', 'qcow2'),
      '7-Zip': '7z e -so $I/big-zlib.qcow2',
      'qemu-img': 'qemu-img convert -f qcow2 -O raw $I/big-zlib.qcow2 $T/out.raw',
    },
    reference: { dissect: 4.1 },
    must: [{ peer: '7-Zip', times: 1 }],
    aim: [{ peer: 'qemu-img', times: 0.8 }],
  },
  {
    id: 'read-qcow2-zstd',
    title: 'read 1 GiB, C qcow2 zstd',
    images: ['big-zstd.qcow2', 'big-zlib.qcow2'],
    ours: readBig('big-zstd.qcow2'),
    peers: {
      libguestfs: fishBig('big-zstd.qcow2', 'qcow2'),
      // 7-Zip reads no zstd in qcow2: the zlib image is its measure, as the target says
      '7-Zip': '7z e -so $I/big-zlib.qcow2',
      'qemu-img': 'qemu-img convert -f qcow2 -O raw $I/big-zstd.qcow2 $T/out.raw',
    },
    must: [{ peer: '7-Zip', times: 1 }],
    aim: [{ peer: 'qemu-img', times: 0.8 }],
  },
  {
    id: 'tar-out',
    title: 'tar out of the whole of A',
    images: ['debian.qcow2', 'debian.raw'],
    ours: '$G tar-out $I/debian.qcow2:/ - -m /dev/sda2 | cat',
    peers: {
      libguestfs: `${fish}qcow2 -a $I/debian.qcow2 -m /dev/sda2 tar-out / /dev/null`,
      debugfs: `debugfs -R "rdump / $(mktemp -d $T/tree.XXXXXX)" ${root.debugfs}`,
      TSK: `tsk_recover -a -o ${root.sectors} $I/debian.raw $(mktemp -d $T/tree.XXXXXX)`,
      // tar reads no file when it sees that its archive is /dev/null
      tar: 'tar -C $I/work/rootfs -cf - . | cat',
      'Node and a thread': idleThread,
    },
    must: [{ peer: 'tar', times: 3 }],
    aim: [{ peer: 'tar', times: 1.5 }],
  },
  ...formatJobs,
  ...writeJobs,
  onAuto('first-file', 'first file, A qcow2', '$G cat $I/debian.qcow2:/etc/os-release -m /dev/sda2'),
  onAuto('inspect', 'inspect with packages, A', '$G inspect $I/debian.qcow2 --json'),
  onAuto('tar-out', 'tar out of the whole of A', '$G tar-out $I/debian.qcow2:/ - -m /dev/sda2 | cat'),
];

/** Bounds in absolute numbers: what the library alone does, inside a running program (see library.ts). */
export const libraryJobs = [
  { id: 'firstHandle', title: 'first file in a running program', unit: 'ms', must: 60, aim: 35, most: true },
  {
    id: 'secondHandle',
    title: 'second handle in the same program, on the thread of the first',
    unit: 'ms',
    must: 15,
    aim: 8,
    most: true,
  },
  {
    id: 'fork',
    title: 'fork of a handle that has inspected, with a thread that is ready',
    unit: 'ms',
    must: 15,
    aim: 10,
    most: true,
  },
  {
    id: 'autoReading',
    title: 'reading in a running program, on auto beside embedded',
    unit: '×',
    must: 1.03,
    aim: 1,
    most: true,
  },
  {
    id: 'imagesInTurn',
    title: '200 images inspected one after another',
    unit: 'images a minute',
    must: 600,
    aim: 1000,
    most: false,
  },
  {
    id: 'imagesByPool',
    title: '200 images inspected, two at a time',
    unit: 'images a minute',
    must: 600,
    aim: 1000,
    most: false,
  },
  {
    id: 'firstOfRange',
    title: 'first bytes of a range, as a stream',
    unit: 'ms',
    must: 1,
    aim: 0.3,
    most: true,
  },
  {
    id: 'handOver',
    title: 'hand-over from the kept state, more than a launch of the appliance',
    unit: 'ms',
    must: 300,
    aim: 100,
    most: true,
  },
  {
    id: 'fiftyHandles',
    title: '50 handles at once, throughput against one',
    unit: '×',
    must: 1.6,
    aim: 1.9,
    most: false,
  },
  { id: 'privateGet1', title: 'private data: get, 1 key', unit: 'ns', must: 200, aim: 80, most: true },
  { id: 'privateSet1', title: 'private data: set, 1 key', unit: 'ns', must: 200, aim: 80, most: true },
  {
    id: 'privateGet1000',
    title: 'private data: get, 1,000 keys',
    unit: 'ns',
    must: 200,
    aim: 80,
    most: true,
  },
  {
    id: 'privateSet1000',
    title: 'private data: set, 1,000 keys',
    unit: 'ns',
    must: 200,
    aim: 80,
    most: true,
  },
  {
    id: 'privateGet100000',
    title: 'private data: get, 100,000 keys',
    unit: 'ns',
    must: 200,
    aim: 80,
    most: true,
  },
  {
    id: 'privateSet100000',
    title: 'private data: set, 100,000 keys',
    unit: 'ns',
    must: 200,
    aim: 80,
    most: true,
  },
  ...writeLibraryJobs,
] as const;

/** Bytes of resident memory that any of our processes may use. */
export const memory = { must: 200 * 2 ** 20, aim: 120 * 2 ** 20 };
