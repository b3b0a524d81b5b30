'use strict';
// Loads a program's code with what V8 compiled of it in earlier runs, which halves the time of a short command. What few
// sessions want is in a second file, read when somebody wants it. What was compiled is kept in the user's cache directory, for
// each command: what others want would only have to be loaded, too. The first runs write it, each adding what it compiled to what
// was there. The name of a cache has the command, a tag of V8's release, its flags and the processor, and a digest of the code, of
// which V8 compares no more than the length. V8's own tag would cost more to ask for than all else here. As V8 believes what it
// reads, only files that this user alone may write are read. Without a cache, for whatever reason, the code is compiled: nothing
// else depends on it.
const fs = require('node:fs');
const { Script } = require('node:vm');
const { isMainThread, workerData } = require('node:worker_threads');

const name = '%NAME%';
const digest = '%DIGEST%';
const commands = '%COMMANDS%'.split(' ');
/** So many runs add to a cache: a first one on a small image has compiled little of what the next ones want. */
const recordings = 3;
/** Of other versions and Nodes, so many are kept, those that were written last; of the other commands all. */
const mostOthers = 15;

const { env, platform } = process;
const directory = cacheDirectory();
const version = `${digest}-${versionTag()}`;
const ownCommand = command();

/** Of the release of V8, the processor, and the flags of the process, which a thread is told. FNV-1a. */
function versionTag() {
  const flags = workerData?.flags ?? process.execArgv;
  let tag = 0x811c9dc5;
  for (const char of [process.version, process.versions.v8, process.arch, env.NODE_OPTIONS, ...flags].join(
    '\n',
  ))
    tag = Math.imul(tag ^ char.charCodeAt(0), 0x01000193);
  return tag >>> 0;
}

/** The command that runs, which a thread is told; `other` for programs that are none. */
function command() {
  const word = isMainThread ? process.argv[2] : workerData?.command;
  return commands.includes(word) ? word : 'other';
}

/** Undefined where there is none, or where Node's own switch says that nothing is to be kept. */
function cacheDirectory() {
  if (env.NODE_DISABLE_COMPILE_CACHE) return undefined;
  if (platform === 'win32') return env.LOCALAPPDATA && `${env.LOCALAPPDATA}/guestfs`;
  if (env.XDG_CACHE_HOME?.startsWith('/')) return `${env.XDG_CACHE_HOME}/guestfs`;
  if (!env.HOME?.startsWith('/')) return undefined;
  return `${env.HOME}/${platform === 'darwin' ? 'Library/Caches' : '.cache'}/guestfs`;
}

/** Whether nobody else can have written it. */
function isOwn({ uid, mode }) {
  return process.geteuid === undefined || (uid === process.geteuid() && (mode & 0o022) === 0);
}

/** A file of the program's code: its first one, or what few want, which is read when somebody does. */
class Code {
  #name;
  #filename;
  #script;
  /** Of the run that adds to what is kept; undefined where nothing is added any more. */
  #next;

  constructor(file) {
    this.#name = file;
    this.#filename = `${__dirname}/${file}-code.cjs`;
    const { data: cachedData, recording } = this.#readCache();
    this.#script = new Script(fs.readFileSync(this.#filename, 'latin1'), {
      filename: this.#filename,
      cachedData,
    });
    // What V8 refuses is made anew.
    const next = this.#script.cachedDataRejected === true ? 1 : recording + 1;
    this.#next = next > recordings ? undefined : next;
  }

  run(exported) {
    this.#script.runInThisContext()(
      exported.exports,
      require,
      exported,
      this.#filename,
      __dirname,
      importPackage,
      recordCompiled,
      loadApart,
    );
    return exported.exports;
  }

  /** How the names of what is kept for this command begin. */
  get #own() {
    return `${this.#name}-${version}-${ownCommand}.`;
  }

  #path(recording) {
    return `${directory}/${this.#own}${recording}.cache`;
  }

  /** What is kept, and how many runs have added to it. */
  #readCache() {
    if (directory === undefined) return { recording: recordings };
    for (let recording = recordings; recording > 0; recording--) {
      let file;
      try {
        file = fs.openSync(this.#path(recording), 'r');
      } catch {
        continue; // not written yet
      }
      try {
        if (isOwn(fs.fstatSync(file)) && isOwn(fs.lstatSync(directory)))
          return { recording, data: fs.readFileSync(file) };
        return { recording: recordings };
      } catch {
        return { recording: recordings }; // it cannot be read: then it cannot be replaced, either
      } finally {
        fs.closeSync(file);
      }
    }
    return { recording: 0 };
  }

  /** Keeps what was compiled until now. What cannot be written, on a disk that is full or read-only, the next run tries again. */
  record() {
    const next = this.#next;
    if (next === undefined) return;
    this.#next = undefined;
    const path = this.#path(next);
    const part = `${path}.${process.pid}-${Math.random().toString(36).slice(2)}`;
    let written = false;
    try {
      fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
      if (!isOwn(fs.lstatSync(directory))) return;
      const data = this.#script.createCachedData();
      written = true;
      fs.writeFileSync(part, data, { mode: 0o600, flag: 'wx' });
      fs.renameSync(part, path);
      written = false;
      this.#removeReplaced(`${this.#own}${next}.cache`);
    } catch {
      if (written) fs.rmSync(part, { force: true });
    }
  }

  /** Removes what the runs before wrote, and what other versions wrote long ago. */
  #removeReplaced(newest) {
    const files = fs.readdirSync(directory).filter((file) => file.startsWith(`${this.#name}-`));
    const replaced = files.filter((file) => file.startsWith(this.#own) && file.endsWith('.cache'));
    const foreign = files
      .filter((file) => !file.startsWith(`${this.#name}-${version}-`))
      .map((file) => ({ file, writtenAt: fs.statSync(`${directory}/${file}`).mtimeMs }))
      .sort((a, b) => b.writtenAt - a.writtenAt)
      .slice(mostOthers)
      .map(({ file }) => file);
    for (const file of [...replaced, ...foreign])
      if (file !== newest) fs.rmSync(`${directory}/${file}`, { force: true });
  }
}

const importPackage = (specifier) => import(specifier);
/** The functions of the second file, once one of them is wanted. */
let apart;
let functions;
const loadApart = (key) => {
  apart ??= new Code(`${name}.apart`);
  functions ??= apart.run({ exports: {} });
  return functions[key];
};
const code = new Code(name);
/** To be called when the first work is done by a program that goes on to live: it may be ended without hearing of it. */
const recordCompiled = () => {
  code.record();
  apart?.record();
};
process.on('exit', recordCompiled);
code.run(module);
