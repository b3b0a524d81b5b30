/** The jobs of `npm run bench -- write`: images that are changed and made. */
import type { Job } from './job.js';

export const writeJobs: Job[] = [
  {
    id: 'write-qcow2',
    group: 'write',
    title: 'write 1 GiB into a growing qcow2',
    images: ['big.raw'],
    // A copy of the source, as both drives are opened for writing. The other file grows from nothing each time, as the
    // peer's does, to which `-t writeback` gives the page cache. Both make it durable at the end.
    prepare:
      'cp --sparse=always $I/big.raw $T/source.raw && ' +
      '$G create -q $T/empty.qcow2 "$(stat -c %s $T/source.raw)"',
    ours:
      'cp $T/empty.qcow2 $T/grown.qcow2 && ' +
      '$G call --rw -a $T/source.raw $T/grown.qcow2 copy-device-to-device /dev/sdb /dev/sda sparse:true',
    peers: { 'qemu-img': 'qemu-img convert -t writeback -f raw -O qcow2 $T/source.raw $T/converted.qcow2' },
    must: [{ peer: 'qemu-img', times: 1.2, clock: 'processorSeconds' }],
    aim: [{ peer: 'qemu-img', times: 1, clock: 'processorSeconds' }],
  },
];
