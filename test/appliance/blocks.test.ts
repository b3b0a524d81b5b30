/** Drives as qemu hears of them: a caller's string is a value, whatever it looks like, and never an option. */

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { DriveConfig } from '../../src/api/index.js';
import {
  type DriveSurroundings,
  driveBlocks,
  mostTargets,
  overlayNode,
} from '../../src/appliance/drives/blocks.js';
import { remoteNode } from '../../src/appliance/drives/drive-protocols.js';
import { readBackendSettings } from '../../src/appliance/machine/backend-settings.js';
import {
  findArchitecture,
  kernelCommandLine,
  type MachinePlan,
  qemuArguments,
} from '../../src/appliance/machine/qemu.js';
import { GuestfsError } from '../../src/base/index.js';
import { parseServer } from '../../src/formats/index.js';

/** Names that mean something to somebody: qemu's options, its legacy file names, JSON, a shell. */
const oddNames = [
  'a,b=c.img',
  'x,readonly=off',
  'x,,y',
  'file:/etc/shadow',
  'json:{"driver":"null-co"}',
  'nbd:localhost:10809',
  'nbd+unix:///x?socket=/y',
  'fat:rw:/etc',
  'ssh://host/x',
  'with "quotes" and \'more\'',
  'back\\slash\\n',
  'new\nline',
  '$(reboot) `reboot` ; & |',
  '%s %n',
  'ünï 😀',
  '-drive',
  ' ',
];

const surroundings: DriveSurroundings = {
  followsNames: false,
  ownFile: (name) => `/private/${name}`,
  isBlockDevice: (path) => path.startsWith('/dev/'),
};

const blocksOf = (drive: DriveConfig, index = 0) => driveBlocks(drive, index, surroundings);

const code = (expected: string) => (thrown: unknown) =>
  thrown instanceof GuestfsError && thrown.code === expected;

/** All strings of a value that are not keys. */
function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(strings);
  return [];
}

describe('a host file', () => {
  for (const name of oddNames)
    test(`named ${JSON.stringify(name)} is opened by that name, by the driver for files`, () => {
      const { image } = blocksOf({ path: `/d/${name}`, readonly: false, format: 'raw' });
      assert.deepEqual((image as { file: object }).file, {
        driver: 'file',
        filename: `/d/${name}`,
        'read-only': false,
        locking: 'auto',
        cache: { direct: false, 'no-flush': false },
        discard: 'ignore',
      });
      const relative = blocksOf({ path: name, readonly: true, format: 'raw' }).image as {
        file: { driver: string; filename: string };
      };
      assert.equal(relative.file.driver, 'file');
      assert.equal(relative.file.filename, name);
      // What goes over the wire is the same again.
      assert.deepEqual(JSON.parse(JSON.stringify(image)), image);
    });

  test('that is read only is opened so, unlocked, under a layer of our own', () => {
    const { image, layers, overlay, device } = blocksOf({ path: '/d/x', readonly: true, format: 'qcow2' }, 3);
    assert.equal((image as { 'read-only': boolean })['read-only'], true);
    const { file } = image as { file: Record<string, unknown> };
    assert.deepEqual([file['read-only'], file.locking], [true, 'off']);
    assert.equal(overlay, '/private/drive3.qcow2');
    assert.deepEqual(layers, [overlayNode('/private/drive3.qcow2', 'drive3-image', 'drive3-writes')]);
    assert.equal((device as { drive: string }).drive, 'drive3-writes');
  });

  test('is never opened with a backing image that nobody named', () => {
    for (const format of ['qcow2', 'qcow', 'qed', 'vmdk']) {
      const { image } = blocksOf({ path: '/d/x', readonly: false, format });
      assert.equal((image as { backing: unknown }).backing, null, format);
    }
    const trusted = driveBlocks({ path: '/d/x', readonly: false, format: 'qcow2' }, 0, {
      ...surroundings,
      followsNames: true,
    });
    assert.ok(!('backing' in trusted.image));
  });

  test('with backing images has them named one by one, read only to the last', () => {
    const chain = {
      path: '/d/top',
      format: 'qcow2',
      dataFile: '/d/data,x',
      backing: { path: '/d/json:{}', format: 'qcow2', backing: { path: '/dev/base', format: 'raw' } },
    };
    const { image } = blocksOf({ path: '/d/top', readonly: false, format: 'qcow2', image: chain });
    type Node = {
      driver: string;
      'read-only': boolean;
      file: Record<string, unknown>;
      backing?: Node | null;
    };
    const top = image as unknown as Node & { 'data-file': Record<string, unknown> };
    assert.equal(top['data-file'].filename, '/d/data,x');
    assert.equal(top['data-file']['read-only'], false);
    const middle = top.backing as Node;
    const base = middle.backing as Node;
    assert.deepEqual(
      [middle, base].map((node) => [
        node['read-only'],
        node.file['read-only'],
        node.file.driver,
        node.file.filename,
      ]),
      [
        [true, true, 'file', '/d/json:{}'],
        [true, true, 'host_device', '/dev/base'],
      ],
    );
  });

  test('is refused where qemu would show zeroes in the place of a parent', () => {
    const backing = { path: '/d/base.vhd', format: 'vpc' };
    assert.throws(
      () => blocksOf({ readonly: true, image: { path: '/d/child.vhd', format: 'vpc', backing } }),
      {
        name: 'UnsupportedError',
        message: /\/d\/child\.vhd: not supported: vpc images with a parent/,
      },
    );
  });

  test('whose name is not UTF-8 is refused', () => {
    assert.throws(() => blocksOf({ path: '/d/\udcff', readonly: false, format: 'raw' }), code('EILSEQ'));
  });

  test('whose format is not known is refused', () => {
    assert.throws(() => blocksOf({ path: '/d/x', readonly: false }), code('EINVAL'));
  });

  test('has the options that it was given', () => {
    const drive = {
      path: '/d/x',
      readonly: false,
      format: 'raw',
      discard: 'enable',
      cachemode: 'unsafe',
      copyonread: true,
      label: 'ROOT',
      blocksize: 4096,
    } as const;
    const { image, layers, device } = blocksOf(drive, 7);
    const { file, discard, cache } = image as {
      file: Record<string, unknown>;
      discard: string;
      cache: object;
    };
    assert.deepEqual([discard, file.discard], ['unmap', 'unmap']);
    assert.deepEqual(cache, { direct: false, 'no-flush': true });
    assert.deepEqual(layers, [
      { driver: 'copy-on-read', 'node-name': 'drive7-reads', file: 'drive7-image', discard: 'unmap' },
    ]);
    assert.deepEqual(device, {
      driver: 'scsi-hd',
      id: 'drive7',
      bus: 'scsi.0',
      channel: 0,
      'scsi-id': 7,
      lun: 0,
      drive: 'drive7-reads',
      werror: 'report',
      rerror: 'report',
      serial: 'ROOT',
      logical_block_size: 4096,
      physical_block_size: 4096,
    });
  });

  test('cannot discard where the image cannot', () => {
    const drive = { path: '/d/x', readonly: false, format: 'vmdk' };
    assert.throws(() => blocksOf({ ...drive, discard: 'enable' }), code('ENOTSUP'));
    const { image } = blocksOf({ ...drive, discard: 'besteffort' });
    assert.equal((image as { discard: string }).discard, 'ignore');
  });

  test('has a place on the bus, or is one too many', () => {
    const drive = { readonly: false, scratchSizeInBytes: 1024 };
    assert.equal((blocksOf(drive, mostTargets - 1).device as { 'scsi-id': number })['scsi-id'], 254);
    assert.throws(() => blocksOf(drive, mostTargets), code('EINVAL'));
  });
});

describe('a drive on the network', () => {
  const remote = (drive: Partial<DriveConfig>) =>
    remoteNode({ readonly: false, format: 'raw', ...drive } as DriveConfig, 'secret-id');

  test('has names, users and secrets as values', () => {
    for (const odd of oddNames) {
      assert.deepEqual(remote({ protocol: 'nbd', path: odd, server: [`unix:/s/${odd}`] }).node, {
        driver: 'nbd',
        server: { type: 'unix', path: `/s/${odd}` },
        export: odd,
      });
      const { node, secret } = remote({
        protocol: 'https',
        path: '/x',
        server: ['host:8443'],
        username: odd,
        secret: odd,
      });
      assert.deepEqual(node, {
        driver: 'https',
        url: 'https://host:8443/x',
        username: odd,
        'password-secret': 'secret-id',
      });
      assert.ok(!strings(node).some((text) => text !== odd && odd.trim() !== '' && text.includes(odd)));
      assert.deepEqual(secret, {
        'qom-type': 'secret',
        id: 'secret-id',
        data: Buffer.from(odd).toString('base64'),
        format: 'base64',
      });
    }
  });

  test('has a path in its URL that stays a path', () => {
    const url = (path: string): unknown => remote({ protocol: 'http', path, server: ['h'] }).node.url;
    assert.equal(url('/a b#c"d'), 'http://h:80/a%20b%23c%22d');
    assert.equal(url('/a%20b'), 'http://h:80/a%20b');
    assert.equal(url('/ü\n'), 'http://h:80/%C3%BC%0A');
    assert.throws(() => url('/a\udc80'), code('EILSEQ'));
  });

  test('has its servers as its protocol wants them', () => {
    const node = (protocol: string, path: string, ...server: string[]): unknown =>
      remote({ protocol, path, server }).node;
    assert.deepEqual(node('nbd', '', 'tcp:host'), {
      driver: 'nbd',
      server: { type: 'inet', host: 'host', port: '10809' },
    });
    assert.deepEqual(node('ssh', '/x', '[::1]:2222'), {
      driver: 'ssh',
      server: { host: '::1', port: '2222' },
      path: '/x',
    });
    assert.deepEqual(node('gluster', 'vol/a/b', 'h'), {
      driver: 'gluster',
      volume: 'vol',
      path: 'a/b',
      server: [{ type: 'inet', host: 'h', port: '24007' }],
    });
    assert.deepEqual(node('iscsi', 'iqn.2000-01.x:t/4', 'fe80::1'.replace(/^/, '[').concat(']')), {
      driver: 'iscsi',
      transport: 'tcp',
      portal: '[fe80::1]:3260',
      target: 'iqn.2000-01.x:t',
      lun: 4,
    });
    assert.deepEqual(node('rbd', 'pool/image'), {
      driver: 'rbd',
      pool: 'pool',
      image: 'image',
      'auth-client-required': ['none'],
    });
    for (const [protocol, path, server] of [
      ['http', '/x', 'unix:/s'],
      ['iscsi', 'target/9999', 'h'],
      ['iscsi', 'target/x', 'h'],
      ['gluster', 'volume', 'h'],
      ['rbd', '/image', 'h'],
      ['nbd', '', ':10'],
    ] as const)
      assert.throws(() => node(protocol, path, server), code('EINVAL'), protocol);
    for (const protocol of ['tftp', 'sheepdog', '__proto__', 'constructor'])
      assert.throws(() => node(protocol, '/x', 'h'), code('ENOTSUP'), protocol);
    assert.throws(() => remote({ protocol: 'ssh', path: '/x', server: ['h'], secret: 'x' }), code('ENOTSUP'));
    assert.throws(() => remote({ protocol: 'nbd', server: [] }), code('EINVAL'));
  });

  test('by rbd has its key in base64 already', () => {
    const key = 'AQCVhTNTAAAAABAA6wsyrVTcvlBqbyjxI0YVYg==';
    const { node, secret } = remote({ protocol: 'rbd', path: 'p/i', username: 'admin', secret: key });
    assert.deepEqual(secret, { 'qom-type': 'secret', id: 'secret-id', data: key, format: 'base64' });
    assert.deepEqual([node.user, node['key-secret']], ['admin', 'secret-id']);
  });

  test('must say its format', () => {
    assert.throws(
      () => blocksOf({ protocol: 'nbd', path: '', server: ['h'], readonly: true }),
      code('EINVAL'),
    );
  });

  test('a server is a host with a port, or a path', () => {
    assert.deepEqual(parseServer('h', 1), { type: 'inet', host: 'h', port: 1 });
    assert.deepEqual(parseServer('tcp:h:2', 1), { type: 'inet', host: 'h', port: 2 });
    assert.deepEqual(parseServer('::1', 1), { type: 'inet', host: '::1', port: 1 });
    assert.deepEqual(parseServer('[::1]:2', 1), { type: 'inet', host: '::1', port: 2 });
    assert.deepEqual(parseServer('unix:a,b', 1), { type: 'unix', path: 'a,b' });
    assert.throws(() => parseServer('', 1), code('EINVAL'));
  });
});

describe("qemu's command line", () => {
  const plan: MachinePlan = {
    architecture: findArchitecture('x64'),
    accelerator: 'tcg',
    kernel: '/k',
    initrd: '/i',
    rootUuid: 'uuid',
    memsizeInMegabytes: 512,
    smp: 1,
    verbose: false,
    network: false,
    append: null,
    gdb: false,
    hvParams: [],
    incoming: false,
  };
  const root = [
    { driver: 'raw', file: { driver: 'file', filename: '/a,b "c"\n' } },
    overlayNode('/w,x', 'root-image', 'root-writes'),
  ];

  test('has what callers say as whole arguments, whatever it looks like', () => {
    const usual = qemuArguments({ ...plan, append: 'APPEND' }, root);
    for (const odd of oddNames) {
      const args = qemuArguments(
        {
          ...plan,
          kernel: `/k/${odd}`,
          initrd: `/i/${odd}`,
          append: odd,
          hvParams: [
            ['-x', odd],
            ['-y', null],
          ],
        },
        root,
      );
      const differing = args
        .map((argument, index) => [argument, usual[index]])
        .filter(([argument, before]) => argument !== before);
      assert.deepEqual(
        differing.map(([argument]) => argument),
        [
          `/k/${odd}`,
          `/i/${odd}`,
          usual[usual.indexOf('-append') + 1]?.replace('APPEND', () => odd),
          '-x',
          odd,
          '-y',
        ],
      );
    }
  });

  test('gives each node as JSON', () => {
    const args = qemuArguments(plan, root);
    const nodes = args.flatMap((argument, index) =>
      args[index - 1] === '-blockdev' ? [JSON.parse(argument) as unknown] : [],
    );
    assert.deepEqual(nodes, root);
  });

  test('names no socket and no drive of the caller', () => {
    const args = qemuArguments({ ...plan, network: true }, root).join(' ');
    assert.ok(!/path=|-drive|-hda/.test(args));
    assert.match(args, /socket,id=monitor,fd=3 .*socket,id=console,fd=5 .*socket,id=channel,fd=4/);
  });

  test("says to the kernel what was asked for, the caller's words last", () => {
    const words = kernelCommandLine({ ...plan, network: true, verbose: true, append: 'a b="c d"' });
    assert.match(
      words,
      /^panic=1 console=ttyS0 .* root=UUID=uuid guestfs_verbose=1 guestfs_network=1 TERM=\S+ a b="c d"$/,
    );
    assert.ok(!kernelCommandLine({ ...plan, append: '' }).includes('guestfs_'));
  });
});

test('backend settings mean only what they are', () => {
  const read = (...settings: string[]) => readBackendSettings(settings);
  assert.deepEqual(read(), { forceTcg: false, forceKvm: false, gdb: false, noSnapshotStart: false });
  assert.ok(read('force_tcg').forceTcg && read('force_tcg=1').forceTcg && read('force_tcg=YES').forceTcg);
  assert.ok(!read('force_tcg=0', 'force_tcg').forceTcg, 'the first counts');
  assert.ok(!read('force_tcg,x', 'xforce_tcg', 'force_tcg =1', ...oddNames).forceTcg);
  assert.throws(() => read('force_tcg', 'force_kvm=on'), code('EINVAL'));
});
