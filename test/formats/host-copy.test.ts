/** The rules of copying to a host, on hosts that are invented: what they fold, lack and refuse. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeText, type ErrnoName, systemError } from '../../src/base/index.js';
import {
  type HostAnswer,
  type HostAttributes,
  HostCopy,
  type HostCopyOptions,
  type HostPathBytes,
  type HostStep,
  type HostSteps,
} from '../../src/formats/index.js';

interface Node {
  readonly kind: 'directory' | 'file' | string;
  readonly identity: string;
  mode: number;
}

/** A host in memory. `fold`: when two names are one to it. */
class InventedHost {
  readonly nodes = new Map<string, Node>();
  readonly fds = new Map<number, Node>();
  readonly refuses = new Map<HostStep['do'], ErrnoName>();
  #made = 0;

  constructor(readonly fold: (path: string) => string = (path) => path) {
    this.put('/t', 'directory');
  }

  put(path: string, kind: string): Node {
    const node = { kind, identity: String(++this.#made), mode: 0 };
    this.nodes.set(this.fold(path), node);
    return node;
  }

  /** Paths as they were first written, for those that are there. */
  get tree(): string[] {
    return [...this.nodes].map(([path, { kind }]) => `${path} ${kind}`);
  }

  perform(step: HostStep): HostAnswer {
    const path = decodeText(step.path);
    const there = this.nodes.get(this.fold(path));
    const refusal = this.refuses.get(step.do);
    if (refusal !== undefined) throw systemError(refusal, path);
    const fresh = (kind: string): Node => {
      if (there !== undefined) throw systemError('EEXIST', path);
      return this.put(path, kind);
    };
    switch (step.do) {
      case 'lstat':
        return there && { isDirectory: there.kind === 'directory', identity: there.identity };
      case 'mkdir':
        fresh('directory').mode = step.mode;
        return;
      case 'open':
        this.fds.set(this.fds.size, fresh('file'));
        return this.fds.size - 1;
      case 'symlink':
        fresh(`-> ${decodeText(step.target)}`);
        return;
      case 'link':
        if (there !== undefined) throw systemError('EEXIST', path);
        this.nodes.set(this.fold(path), this.#get(step.from));
        return;
      case 'copyFile':
        fresh('copy');
        return;
      case 'unlink':
        this.nodes.delete(this.fold(path));
        return;
      case 'chmod':
        (step.fd === undefined ? this.#get(step.path) : (this.fds.get(step.fd) as Node)).mode = step.mode;
        return;
      default:
        return;
    }
  }

  #get(path: HostPathBytes): Node {
    const node = this.nodes.get(this.fold(decodeText(path)));
    if (node === undefined) throw systemError('ENOENT', decodeText(path));
    return node;
  }

  run<T>(steps: HostSteps<T>): T {
    for (let next = steps.next(); ; ) {
      if (next.done === true) return next.value;
      try {
        next = steps.next(this.perform(next.value));
      } catch (thrown) {
        next = steps.throw(thrown);
      }
    }
  }
}

const attributes: HostAttributes = {
  mode: 0o106755,
  uid: 7,
  gid: 7,
  accessedSeconds: 1,
  modifiedSeconds: 2,
};

type Entry = readonly [kind: 'd' | 'f' | 'l' | 'h', name: string, target?: string];

/** What a host has, and what was warned of, when entries came in this order. */
function copied(host: InventedHost, entries: readonly Entry[], options: Partial<HostCopyOptions> = {}) {
  const warnings: string[] = [];
  const copy = new HostCopy(Buffer.from('/t'), {
    platform: 'linux',
    isRoot: false,
    keepsSetId: false,
    warn: (message) => warnings.push(message),
    shown: (name) => `/${name}`,
    ...options,
  });
  for (const [kind, name, target = ''] of entries) {
    if (kind === 'd') host.run(copy.directory(name, attributes));
    else if (kind === 'l') host.run(copy.symlink(name, target, attributes, true));
    else if (kind === 'h') host.run(copy.hardLink(name, target, attributes));
    else {
      const file = host.run(copy.file(name, true));
      if (file !== undefined) host.run(copy.finishFile(file, attributes));
    }
  }
  host.run(copy.finish());
  return { tree: host.tree.slice(1), warnings };
}

test('on Windows what has no name there is left out, with all that is in it; the rest is copied', () => {
  const entries: Entry[] = [
    ['d', 'd'],
    ['f', 'd/..\\..\\evil.txt'],
    ['f', 'd/a:b'],
    ['d', 'd/CON'],
    ['f', 'd/CON/inside'],
    ['f', 'd/good'],
  ];
  const { tree, warnings } = copied(new InventedHost(), entries, { platform: 'win32' });
  assert.deepEqual(tree, ['/t/d directory', '/t/d/good file']);
  assert.deepEqual(
    warnings.map((warning) => warning.slice(0, warning.indexOf(' cannot'))),
    ['/d/..\\..\\evil.txt:', '/d/a:b:', '/d/CON:'],
  );
  assert.equal(copied(new InventedHost(), entries).tree.length, 6);
});

const folds: Readonly<Record<string, (path: string) => string>> = {
  'capitals do not count': (path) => path.toLowerCase(),
  'names are normalised': (path) => path.normalize('NFC'),
};
for (const [how, fold] of Object.entries(folds))
  for (const top of ['', 'd/'])
    test(`where ${how}, the first of two files stays${top === '' ? '' : ', in a new directory too'}`, () => {
      const [first, second] = how.startsWith('cap') ? ['makefile', 'Makefile'] : ['\u00e9', 'e\u0301'];
      const { tree, warnings } = copied(new InventedHost(fold), [
        ...(top === '' ? [] : ([['d', 'd']] as Entry[])),
        ['f', `${top}${first}`],
        ['l', `${top}${second}`, '/etc'],
        ['d', `${top}${second}`],
        ['f', `${top}${second}/x`],
        ['f', `${top}other`],
      ]);
      assert.deepEqual(tree.slice(top === '' ? 0 : 1), [`/t/${top}${first} file`, `/t/${top}other file`]);
      assert.equal(warnings.length, 2, warnings.join('\n'));
      assert.match(warnings[0] ?? '', /same name on the host as another of its directory, and is left out$/);
    });

test('two directories that are one to the host are not mixed', () => {
  const { tree, warnings } = copied(new InventedHost((path) => path.toLowerCase()), [
    ['d', 'lib'],
    ['f', 'lib/a'],
    ['d', 'Lib'],
    ['f', 'Lib/b'],
  ]);
  assert.deepEqual(tree, ['/t/lib directory', '/t/lib/a file']);
  assert.equal(warnings.length, 1);
});

test('a link and then a directory of one name: what is in the directory does not go through the link', () => {
  const { tree, warnings } = copied(new InventedHost(), [
    ['d', 'd'],
    ['l', 'd/x', '/outside'],
    ['d', 'd/x'],
    ['f', 'd/x/passwd'],
  ]);
  assert.deepEqual(tree, ['/t/d directory', '/t/d/x -> /outside']);
  assert.equal(warnings.length, 1);
});

test('what was there before is replaced, and a directory filled up', () => {
  const host = new InventedHost();
  for (const [path, kind] of [
    ['/t/f', 'old'],
    ['/t/l', 'old'],
    ['/t/d', 'directory'],
    ['/t/d/old', 'old'],
    ['/t/d/f', 'old'],
  ] as const)
    host.put(path, kind);
  const entries: Entry[] = [
    ['f', 'f'],
    ['l', 'l', 'to'],
    ['d', 'd'],
    ['f', 'd/f'],
  ];
  const { tree, warnings } = copied(host, entries);
  assert.deepEqual(tree.sort(), ['/t/d directory', '/t/d/f file', '/t/d/old old', '/t/f file', '/t/l -> to']);
  assert.deepEqual(warnings, []);
  host.put('/t/f', 'directory');
  assert.throws(() => copied(host, [['f', 'f']]), { code: 'EISDIR' });
  assert.throws(() => copied(host, [['d', 'l']]), { code: 'ENOTDIR' });
});

test('a link that the user may not make is left out, and the copy goes on', () => {
  const host = new InventedHost();
  host.refuses.set('symlink', 'EPERM');
  const { tree, warnings } = copied(host, [
    ['l', 'l', 'to'],
    ['f', 'f'],
  ]);
  assert.deepEqual(tree, ['/t/f file']);
  assert.match(warnings.join(), /^\/l: cannot be made on the host, and is left out: \/t\/l: /);
});

test('a name that the host refuses is left out', () => {
  for (const code of ['EINVAL', 'EILSEQ', 'ENAMETOOLONG'] as const) {
    const host = new InventedHost();
    host.refuses.set('open', code);
    assert.equal(copied(host, [['f', 'f']]).warnings.length, 1, code);
  }
  const full = new InventedHost();
  full.refuses.set('open', 'ENOSPC');
  assert.throws(() => copied(full, [['f', 'f']]), { code: 'ENOSPC' });
});

test('names of one file are names of one file; where the host cannot link, copies, said once', () => {
  const entries: Entry[] = [
    ['f', 'a'],
    ['h', 'b', 'a'],
    ['h', 'c', './a'],
  ];
  const linking = new InventedHost();
  assert.deepEqual(copied(linking, entries), { tree: ['/t/a file', '/t/b file', '/t/c file'], warnings: [] });
  assert.equal(linking.nodes.get('/t/a'), linking.nodes.get('/t/c'));
  const lacking = new InventedHost();
  lacking.refuses.set('link', 'EPERM');
  const { tree, warnings } = copied(lacking, entries);
  assert.deepEqual(tree, ['/t/a file', '/t/b copy', '/t/c copy']);
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /^\/b: is a copy of "a" and no other name of it, as are others here: /);
});

test('another name of a link is a link, and of what was not copied is left out', () => {
  const { tree, warnings } = copied(new InventedHost(), [
    ['l', 'l', 'to'],
    ['h', 'l2', 'l'],
    ['h', 'h', 'never'],
    ['h', 'h2', '../../etc/passwd'],
  ]);
  assert.deepEqual(tree, ['/t/l -> to', '/t/l2 -> to']);
  assert.equal(warnings.length, 2);
});

test('a file whose owner the host does not keep has no set-id bits, and that is said once', () => {
  const trusted = { isRoot: true, keepsSetId: true };
  const host = new InventedHost();
  copied(host, [['f', 'f']], trusted);
  assert.equal(host.nodes.get('/t/f')?.mode, 0o6755);
  const keepsNone = new InventedHost();
  keepsNone.refuses.set('chown', 'EPERM');
  const entries: Entry[] = [
    ['f', 'f'],
    ['f', 'g'],
    ['d', 'd'],
  ];
  const { warnings } = copied(keepsNone, entries, trusted);
  assert.equal(keepsNone.nodes.get('/t/f')?.mode, 0o755);
  assert.deepEqual(warnings, ["the directory of the host does not keep all owners of the guest's files"]);
});
