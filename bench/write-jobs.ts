/** The jobs of `npm run bench -- write`: images that are changed and made. */
import type { Job } from './job.js';

export const writeJobs: Job[] = [
  {
    id: 'write-qcow2',
    group: 'write',
    title: 'write 1 GiB into a growing qcow2',
    images: ['big.raw'],
    // A copy, as both drives are opened for writing. The other file grows from nothing each time, as the peer's does.
    prepare: 'cp --sparse=always $I/big.raw $T/source.raw',
    ours:
      '$G create -q --force $T/grown.qcow2 "$(stat -c %s $T/source.raw)" && ' +
      '$G call --rw -a $T/source.raw $T/grown.qcow2 copy-device-to-device /dev/sdb /dev/sda sparse:true',
    peers: { 'qemu-img': 'qemu-img convert -f raw -O qcow2 $T/source.raw $T/converted.qcow2' },
    must: [{ peer: 'qemu-img', times: 1.2, clock: 'processorSeconds' }],
    aim: [{ peer: 'qemu-img', times: 1, clock: 'processorSeconds' }],
  },
];
