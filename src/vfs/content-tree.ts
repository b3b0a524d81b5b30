/**
 * What is to go into a new filesystem: a tree in memory, to which archives and directories are added one after the
 * other. Names are resolved in the tree alone, links too, so that nothing leads out of it.
 */
import { GuestfsError, sortBytewise, systemError, work } from '../base/index.js';
import type { Disk } from '../disk/index.js';
import type { NewInode, Time } from '../fs/index.js';

/** The contents of a regular file, which are read when they are wanted. */
export interface ContentSource {
  readonly sizeInBytes: number;
  /** The caller closes it. */
  open(): Disk;
}

/** What an entry is, whatever its names are. */
export interface ContentFacts extends NewInode {
  readonly modified: Time;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
  /** Texts of access lists by their attributes, which may name users of the tree: until all of it is known. */
  readonly accessLists?: ReadonlyMap<string, string>;
  /** Of a regular file. */
  readonly contents?: ContentSource;
}

/** A file, or a directory with what is in it. A file with several names is the same object under each. */
export interface ContentNode {
  facts: ContentFacts;
  /** Of a directory. */
  readonly children: Map<string, ContentNode> | undefined;
}

/** One name of the tree. */
export interface ContentEntry {
  readonly node: ContentNode;
  readonly name: string;
  readonly path: string;
  readonly parent: ContentNode;
}

const noXattrs: ReadonlyMap<string, Uint8Array> = new Map();
/** As many links as the kernel follows, and as many names as a path can have. */
const mostLinks = 40;
const mostNames = 2048;

const directoryFacts = (modified: Time): ContentFacts => ({
  type: 'directory',
  permissions: 0o755,
  uid: 0,
  gid: 0,
  modified,
  xattrs: noXattrs,
});

/** The names of a path, relative to where it is found; `..` stays. */
function namesIn(path: string): string[] {
  if (path.includes('\0')) throw new GuestfsError('EINVAL', `${JSON.stringify(path)}: a name with a NUL`);
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

export class ContentTree {
  readonly root: ContentNode;

  /** `modified`: of the root, until an entry says otherwise. */
  constructor(modified: Time = { seconds: 0, nanoseconds: 0 }) {
    this.root = { facts: directoryFacts(modified), children: new Map() };
  }

  /**
   * Puts an entry at a path, whose missing directories are made. A directory in the place of one takes over what is in
   * it; else what has the name is replaced. EPERM for a path with `..`, ENOTDIR.
   */
  put(path: string, facts: ContentFacts): void {
    const names = this.#memberNames(path);
    const last = names.pop();
    if (last === undefined) {
      if (facts.type !== 'directory') throw systemError('EISDIR', path);
      this.root.facts = facts;
      return;
    }
    const directory = this.#directoryAt(names, path, facts.modified);
    const present = directory.get(last);
    if (facts.type === 'directory' && present?.children !== undefined) present.facts = facts;
    else directory.set(last, { facts, children: facts.type === 'directory' ? new Map() : undefined });
  }

  /** Gives a file another name. False where there is no such file yet. EPERM for a directory. */
  link(path: string, target: string, modified: Time): boolean {
    const names = this.#memberNames(path);
    const last = names.pop();
    if (last === undefined) throw systemError('EISDIR', path);
    const targetNames = this.#memberNames(target);
    const targetLast = targetNames.pop();
    const node =
      targetLast === undefined ? this.root : this.#find(targetNames, target)?.children?.get(targetLast);
    if (node === undefined) return false;
    if (node.children !== undefined) throw systemError('EPERM', path, { remark: `${target} is a directory` });
    this.#directoryAt(names, path, modified).set(last, node);
    return true;
  }

  /** Takes a name out of the tree, with all that is below it. */
  remove(path: string): void {
    const names = this.#memberNames(path);
    const last = names.pop();
    if (last !== undefined) this.#find(names, path)?.children?.delete(last);
  }

  /** Takes all out of a directory. */
  empty(path: string): void {
    this.#find(this.#memberNames(path), path)?.children?.clear();
  }

  /** What a path leads to, if anything. Links are followed. */
  find(path: string): ContentNode | undefined {
    return this.#find(this.#memberNames(path), path);
  }

  /**
   * All names but the root's: of each directory the entries in the order of their bytes, and then what is in the
   * directories among them.
   */
  *entries(): Generator<ContentEntry, void> {
    const waiting: { readonly node: ContentNode; readonly path: string }[] = [{ node: this.root, path: '' }];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { node: parent, path: above } = next;
      const children = parent.children ?? new Map<string, ContentNode>();
      const names = sortBytewise([...children.keys()]);
      const below: typeof waiting = [];
      for (const name of names) {
        work.entries.spend(1);
        const node = children.get(name) as ContentNode; // safe: one of its keys
        const path = `${above}/${name}`;
        yield { node, name, path, parent };
        if (node.children !== undefined) below.push({ node, path });
      }
      waiting.push(...below.reverse());
    }
  }

  #memberNames(path: string): string[] {
    const names = namesIn(path);
    if (names.includes('..')) throw new GuestfsError('EPERM', `${path}: a name with .. in it is not taken`);
    return names;
  }

  /** The directory that names lead to, which is made where it is missing. ENOTDIR, ELOOP. */
  #directoryAt(names: readonly string[], path: string, modified: Time): Map<string, ContentNode> {
    const node = this.#follow(names, path, modified);
    const children = node?.children;
    if (children === undefined) throw systemError('ENOTDIR', path);
    return children;
  }

  #find(names: readonly string[], path: string): ContentNode | undefined {
    return this.#follow(names, path, undefined);
  }

  /** Follows names from the root, and links in the tree. With `modified`, missing directories are made. */
  #follow(names: readonly string[], path: string, modified: Time | undefined): ContentNode | undefined {
    const above: ContentNode[] = [];
    let node = this.root;
    let links = 0;
    const left = [...names].reverse();
    for (let name = left.pop(); name !== undefined; name = left.pop()) {
      work.entries.spend(1);
      if (name === '..') {
        node = above.pop() ?? this.root;
        continue;
      }
      if (node.children === undefined) return undefined;
      let next = node.children.get(name);
      if (next === undefined) {
        if (modified === undefined) return undefined;
        next = { facts: directoryFacts(modified), children: new Map() };
        node.children.set(name, next);
      }
      const { target } = next.facts;
      if (target !== undefined) {
        links++;
        const more = namesIn(target);
        if (links > mostLinks || left.length + more.length > mostNames) throw systemError('ELOOP', path);
        left.push(...more.reverse());
        if (target.startsWith('/')) {
          above.length = 0;
          node = this.root;
        }
        continue;
      }
      above.push(node);
      node = next;
    }
    return node;
  }
}
