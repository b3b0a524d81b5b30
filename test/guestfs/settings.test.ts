import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { Guestfs } from '../../src/guestfs/index.js';
import { fakeHandle, imageFile, launchedHandle, throwsWith } from './fake.js';

const directory = realpathSync(mkdtempSync(join(tmpdir(), 'guestfs-settings-')));
after(() => rmdirSync(directory));

describe('settings', () => {
  test('begin with the defaults of libguestfs', () => {
    const { g } = fakeHandle();
    assert.equal(g.getVerbose(), false);
    assert.equal(g.getTrace(), false);
    assert.equal(g.getAutosync(), true);
    assert.equal(g.getNetwork(), false);
    assert.equal(g.getDirect(), false);
    assert.equal(g.getSelinux(), false);
    assert.equal(g.getPgroup(), false);
    assert.equal(g.getRecoveryProc(), true);
    assert.equal(g.getMemsize(), 1280);
    assert.equal(g.getSmp(), 1);
    assert.equal(g.getAppend(), null);
    assert.equal(g.getIdentifier(), '');
    assert.deepEqual(g.getBackendSettings(), []);
    assert.equal(g.getTmpdir(), '/tmp');
    assert.equal(g.getCachedir(), '/var/tmp');
    assert.match(g.getHv(), /^\/usr\/bin\/qemu-system-/);
    assert.match(g.getPath(), /guestfs/);
    assert.equal(g.getProgram(), 'settings.test.js');
  });

  test('are what they were set to', () => {
    const { g } = fakeHandle();
    g.setVerbose(true);
    g.setVerbose(false);
    assert.equal(g.getVerbose(), false);
    for (const [set, get] of [
      ['setAutosync', 'getAutosync'],
      ['setNetwork', 'getNetwork'],
      ['setDirect', 'getDirect'],
      ['setSelinux', 'getSelinux'],
      ['setPgroup', 'getPgroup'],
      ['setRecoveryProc', 'getRecoveryProc'],
    ] as const) {
      const before = g[get]();
      g[set](!before);
      assert.equal(g[get](), !before, get);
    }
    g.setProgram('mine');
    assert.equal(g.getProgram(), 'mine');
    g.setIdentifier('id');
    assert.equal(g.getIdentifier(), 'id');
    g.setAppend('quiet');
    assert.equal(g.getAppend(), 'quiet');
    g.setAppend(null);
    assert.equal(g.getAppend(), null);
  });

  test('null brings a default back', () => {
    const { g } = fakeHandle();
    const path = g.getPath();
    const hv = g.getHv();
    g.setPath('/x:/y');
    assert.equal(g.getPath(), '/x:/y');
    g.setPath(null);
    assert.equal(g.getPath(), path);
    g.setHv('/my/qemu');
    assert.equal(g.getHv(), '/my/qemu');
    assert.equal(g.getQemu(), '/my/qemu');
    g.setQemu(null);
    assert.equal(g.getHv(), hv);
    g.setTmpdir(directory);
    assert.equal(g.getTmpdir(), directory);
    g.setTmpdir(null);
    assert.equal(g.getTmpdir(), '/tmp');
  });

  test('that make no sense are refused, and change nothing', () => {
    const { g } = fakeHandle();
    throwsWith(
      () => g.setMemsize(255),
      'EINVAL',
      'set_memsize: 255 megabytes are too little: it must be at least 256',
    );
    throwsWith(() => g.setMemsize(-1), 'EINVAL', /too little/);
    g.setMemsize(256);
    assert.equal(g.getMemsize(), 256);
    for (const smp of [0, -1, 256]) throwsWith(() => g.setSmp(smp), 'EINVAL', /^set_smp: there cannot be/);
    g.setSmp(255);
    assert.equal(g.getSmp(), 255);
    throwsWith(() => g.setTmpdir('/nope'), 'ENOENT', 'set_tmpdir: /nope: no such file or directory');
    throwsWith(() => g.setCachedir(imageFile()), 'ENOTDIR', /^set_cachedir: .*: not a directory/);
    assert.equal(g.getTmpdir(), '/tmp');
    for (const backend of ['', 'foo', 'unix:/x', 'libvirtx'])
      throwsWith(() => g.setBackend(backend), 'EINVAL', /^set_backend: no such backend/);
    assert.equal(g.getBackend(), 'auto');
  });

  test('directories become absolute', () => {
    const { g } = fakeHandle();
    g.setTmpdir('.');
    assert.equal(g.getTmpdir(), realpathSync('.'));
  });

  test('appliance is the old name of direct', () => {
    const { g } = fakeHandle();
    g.setAttachMethod('appliance');
    assert.equal(g.getBackend(), 'direct');
    assert.equal(g.getAttachMethod(), 'appliance');
    g.setBackend('libvirt:qemu:///system');
    assert.equal(g.getBackend(), 'libvirt:qemu:///system');
    assert.equal(g.getAttachMethod(), 'libvirt:qemu:///system');
  });

  test('backend settings are a list, and names with values', () => {
    const { g } = fakeHandle();
    g.setBackendSettings(['a=1', 'b', 'a=2', 'c=', 'force_tcg=1']);
    assert.equal(g.getBackendSetting('a'), '1');
    assert.equal(g.getBackendSetting('b'), '1');
    assert.equal(g.getBackendSetting('c'), '');
    throwsWith(() => g.getBackendSetting('d'), 'ESRCH', "get_backend_setting: there is no setting 'd'");
    throwsWith(() => g.getBackendSetting(''), 'ESRCH', /no setting/);
    g.setBackendSetting('a', '9');
    assert.deepEqual(g.getBackendSettings(), ['b', 'c=', 'force_tcg=1', 'a=9']);
    assert.equal(g.clearBackendSetting('b'), 1);
    assert.equal(g.clearBackendSetting('zz'), 0);
    g.setBackendSetting('q', 'x=y');
    assert.equal(g.getBackendSetting('q'), 'x=y');
    g.setBackendSettings(['a=1', 'a']);
    assert.equal(g.clearBackendSetting('a'), 2);
    g.getBackendSettings().push('mine');
    assert.deepEqual(g.getBackendSettings(), []);
  });

  test('parameters for the hypervisor, but not those that the library gives itself', () => {
    const { g } = fakeHandle();
    g.config('-foo', 'bar');
    g.config('-enable-kvm', null);
    for (const parameter of ['-kernel', '-initrd', '-nographic', '-display', '-vnc'])
      throwsWith(() => g.config(parameter, null), 'EINVAL', /is not allowed/);
  });

  test('kinds of credentials', () => {
    const { g } = fakeHandle();
    g.setLibvirtSupportedCredentials(['username', 'passphrase']);
    throwsWith(
      () => g.setLibvirtSupportedCredentials(['username', 'x']),
      'EINVAL',
      /unknown kind of credential 'x'/,
    );
  });
});

describe('the environment', () => {
  const parse = (...list: string[]): Guestfs => {
    const { g } = fakeHandle();
    g.parseEnvironmentList(list);
    g.setTrace(false);
    return g;
  };

  test('makes settings', () => {
    const g = parse(
      'LIBGUESTFS_DEBUG=1',
      'LIBGUESTFS_PATH=/a:/b',
      'LIBGUESTFS_HV=/my/qemu',
      'LIBGUESTFS_APPEND=x y',
      'LIBGUESTFS_MEMSIZE=600',
      'LIBGUESTFS_BACKEND=direct',
      'LIBGUESTFS_BACKEND_SETTINGS=a:b=1::c',
      `LIBGUESTFS_CACHEDIR=${directory}`,
    );
    assert.equal(g.getVerbose(), true);
    assert.equal(g.getPath(), '/a:/b');
    assert.equal(g.getHv(), '/my/qemu');
    assert.equal(g.getAppend(), 'x y');
    assert.equal(g.getMemsize(), 600);
    assert.equal(g.getBackend(), 'direct');
    assert.deepEqual(g.getBackendSettings(), ['a', 'b=1', '', 'c']);
    assert.equal(g.getCachedir(), directory);
    assert.equal(g.getTmpdir(), '/tmp');
  });

  test('an empty list of backend settings is none', () => {
    assert.deepEqual(parse('LIBGUESTFS_BACKEND_SETTINGS=').getBackendSettings(), []);
  });

  test('an identifier cannot forge lines of a trace', () => {
    const g = parse();
    for (const bad of ['a\nlibguestfs: trace: b', 'a b', '\x1b[m', 'caf\u00e9', 'a:b']) {
      throwsWith(() => g.setIdentifier(bad), 'EINVAL', /letters, digits/);
    }
    g.setIdentifier('disk-1_A');
    assert.equal(g.getIdentifier(), 'disk-1_A');
    g.setIdentifier('');
  });

  test('truth has many words', () => {
    for (const word of ['1', 'true', 'TRUE', 't', 'yes', 'Y', 'on'])
      assert.equal(parse(`LIBGUESTFS_DEBUG=${word}`).getVerbose(), true, word);
    for (const word of ['0', 'false', 'f', 'no', 'N', 'OFF'])
      assert.equal(parse('LIBGUESTFS_DEBUG=1', `LIBGUESTFS_TRACE=${word}`).getTrace(), false, word);
    const { g } = fakeHandle({ stderr: null });
    g.parseEnvironmentList(['LIBGUESTFS_TRACE=1']);
    assert.equal(g.getTrace(), true);
  });

  test('what means nothing is refused, with the name of the variable', () => {
    const { g } = fakeHandle();
    for (const [variable, code, message] of [
      ['LIBGUESTFS_DEBUG=', 'EINVAL', /LIBGUESTFS_DEBUG: '' is neither true nor false/],
      ['LIBGUESTFS_TRACE=2', 'EINVAL', /LIBGUESTFS_TRACE: '2' is neither/],
      ['LIBGUESTFS_DEBUG=constructor', 'EINVAL', /neither/],
      ['LIBGUESTFS_MEMSIZE=x', 'EINVAL', /LIBGUESTFS_MEMSIZE: 'x' is no number/],
      ['LIBGUESTFS_MEMSIZE=1', 'EINVAL', /LIBGUESTFS_MEMSIZE: 1 megabytes are too little/],
      ['LIBGUESTFS_BACKEND=foo', 'EINVAL', /LIBGUESTFS_BACKEND: no such backend/],
      ['LIBGUESTFS_ATTACH_METHOD=foo', 'EINVAL', /LIBGUESTFS_ATTACH_METHOD: no such backend/],
      ['LIBGUESTFS_TMPDIR=/nope', 'ENOENT', /LIBGUESTFS_TMPDIR: \/nope: no such file/],
      ['LIBGUESTFS_CACHEDIR=/nope', 'ENOENT', /LIBGUESTFS_CACHEDIR/],
      ['TMPDIR=/nope', 'ENOENT', /TMPDIR: \/nope: no such file/],
      ['XDG_RUNTIME_DIR=/nope', 'ENOENT', /XDG_RUNTIME_DIR/],
    ] as const)
      throwsWith(() => g.parseEnvironmentList([variable]), code, message);
  });

  test('what is empty is as if it were not there, but an empty append is one', () => {
    const g = parse(
      'LIBGUESTFS_PATH=',
      'LIBGUESTFS_HV=',
      'LIBGUESTFS_BACKEND=',
      'LIBGUESTFS_MEMSIZE=',
      'LIBGUESTFS_TMPDIR=',
      'TMPDIR=',
      'LIBGUESTFS_APPEND=',
      'nothing',
      '=x',
      'LIBGUESTFS_FUTURE=1',
    );
    const defaults = fakeHandle().g;
    assert.equal(g.getPath(), defaults.getPath());
    assert.equal(g.getHv(), defaults.getHv());
    assert.equal(g.getBackend(), 'auto');
    assert.equal(g.getMemsize(), 1280);
    assert.equal(g.getAppend(), '');
  });

  test('old names count where the new ones are not set', () => {
    assert.equal(parse('LIBGUESTFS_QEMU=/q').getHv(), '/q');
    assert.equal(parse('LIBGUESTFS_QEMU=/q', 'LIBGUESTFS_HV=/h').getHv(), '/h');
    assert.equal(parse('LIBGUESTFS_ATTACH_METHOD=appliance').getBackend(), 'direct');
  });

  test('TMPDIR is for both directories, and goes behind their own variables', () => {
    const g = parse(`TMPDIR=${directory}`);
    assert.equal(g.getTmpdir(), directory);
    assert.equal(g.getCachedir(), directory);
    assert.equal(parse(`TMPDIR=${directory}`, 'LIBGUESTFS_TMPDIR=/').getTmpdir(), '/');
  });

  test('after launch only what may still be set is', async () => {
    const { g } = await launchedHandle();
    g.parseEnvironmentList(['LIBGUESTFS_DEBUG=1']);
    assert.equal(g.getVerbose(), true);
    throwsWith(
      () => g.parseEnvironmentList(['LIBGUESTFS_MEMSIZE=600']),
      'EBADFD',
      'parse_environment_list: LIBGUESTFS_MEMSIZE: this can only be set in the config state',
    );
    await g.close();
  });

  test('a new handle asks it, unless it is told not to; its options go before', async () => {
    const saved = process.env.LIBGUESTFS_BACKEND;
    process.env.LIBGUESTFS_BACKEND = 'direct';
    process.env.LIBGUESTFS_MEMSIZE = '700';
    try {
      const asking = new Guestfs();
      const other = new Guestfs({ environment: false });
      const choosing = new Guestfs({ backend: 'embedded' });
      assert.equal(asking.getBackend(), 'direct');
      assert.equal(asking.getMemsize(), 700);
      assert.equal(other.getBackend(), 'auto');
      assert.equal(other.getMemsize(), 1280);
      assert.equal(choosing.getBackend(), 'embedded');
      assert.equal(choosing.getMemsize(), 700);
      other.parseEnvironment();
      assert.equal(other.getMemsize(), 700);
      process.env.LIBGUESTFS_MEMSIZE = 'much';
      throwsWith(() => new Guestfs(), 'EINVAL', "LIBGUESTFS_MEMSIZE: 'much' is no number");
      await Promise.all([asking, other, choosing].map((g) => g.close()));
    } finally {
      delete process.env.LIBGUESTFS_MEMSIZE;
      if (saved === undefined) delete process.env.LIBGUESTFS_BACKEND;
      else process.env.LIBGUESTFS_BACKEND = saved;
    }
  });
});
