/** An empty project that has the packed package installed, as `npm install` would leave it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratchDirectory } from '../support/scratch.js';

export interface Run {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
}

export class Project {
  readonly directory = scratchDirectory();
  /** The packed package. */
  readonly tarball: string;

  /** `type`: of the project's own files. */
  constructor(type: 'module' | 'commonjs' = 'module') {
    // What `prepack` would build is there already, and other tests are using it.
    const packed = execFileSync(
      'npm',
      ['pack', '--ignore-scripts', '--json', '--pack-destination', this.directory],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    );
    const [{ filename }] = JSON.parse(packed) as [{ filename: string }];
    this.tarball = this.path(filename);
    this.write('package.json', JSON.stringify({ type, private: true }));
    copyFileSync('samples/debian.qcow2', this.path('debian.qcow2'));
  }

  /** Unpacks the package, and lends what it depends on and what types it may need. */
  install(): this {
    const home = this.path('node_modules/guestfs');
    mkdirSync(join(this.directory, 'node_modules/@types'), { recursive: true });
    mkdirSync(home);
    execFileSync('tar', ['-C', home, '--strip-components=1', '-xf', this.tarball]);
    for (const name of ['@types/node', 'undici-types'])
      symlinkSync(join(process.cwd(), 'node_modules', name), this.path('node_modules', name));
    return this;
  }

  path(...names: string[]): string {
    return join(this.directory, ...names);
  }

  write(name: string, text: string): void {
    writeFileSync(this.path(name), text);
  }

  /** Runs a program of Node in the project. */
  node(...args: string[]): Run {
    return this.nodeIn(this.directory, ...args);
  }

  nodeIn(directory: string, ...args: string[]): Run {
    const { stdout, stderr, status } = spawnSync(process.execPath, args, {
      cwd: directory,
      encoding: 'utf8',
      timeout: 60_000,
    });
    return { stdout, stderr, status };
  }

  /** A directory of the project in another place, where no package is installed, and with other files beside it. */
  moved(name: string, ...beside: string[]): string {
    const directory = scratchDirectory();
    for (const file of readdirSync(this.path(name)))
      cpSync(this.path(name, file), join(directory, file), { recursive: true });
    for (const file of beside)
      copyFileSync(this.path('node_modules/guestfs/dist', file), join(directory, file));
    return directory;
  }
}

/** The worker in one file. */
export const workerFile = 'guestfs-engine.cjs';

const body = `
async function main() {
  const [image, workerUrl] = process.argv.slice(2);
  const g = new Guestfs({ environment: false, backend: 'embedded', workerUrl });
  g.addDrive(image, { readonly: true });
  await g.launch();
  await g.mountRo('/dev/sda2', '/');
  const failure = await g.cat('/nowhere').catch((error) => error);
  console.log((await g.cat('/etc/hostname')).trim(), failure instanceof GuestfsError, failure.code);
  await g.close();
}
main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
`;

/** A program that opens the image of its first argument and reads a file; the second one is the worker's place. */
export const program = {
  esModule: `import { Guestfs, GuestfsError } from 'guestfs';${body}`,
  commonJs: `const { Guestfs, GuestfsError } = require('guestfs');${body}`,
};

/** What the program prints. */
export const told: Run = { stdout: 'dolphin true ENOENT\n', stderr: '', status: 0 };
