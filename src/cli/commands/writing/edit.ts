/** `guestfs edit`: a file of a guest in the user's editor. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostNameProblem } from '../../../formats/index.js';
import { exitStatus, Failure } from '../../command/failure.js';
import type { Command } from '../../command/invocation.js';
import { baseName, changePaths, changingOptions, statusAt } from '../../guest/changing.js';
import { isRegularFile } from '../../guest/file-words.js';
import type { Guest } from '../../guest/guest.js';
import { replaceFile } from '../../guest/replace-file.js';
import { begin } from '../../host/partial-output.js';

/** Runs an editor, which may be a command line of its own as `code --wait`, until it ends. */
async function runEditor(editor: string, file: string): Promise<void> {
  const child =
    process.platform === 'win32'
      ? spawn(`${editor} "${file}"`, { stdio: 'inherit', shell: true })
      : spawn('/bin/sh', ['-c', `${editor} "$1"`, editor, file], { stdio: 'inherit' });
  const [status, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (...end) => resolve(end));
  });
  if (status === 0) return;
  throw new Failure(
    `the editor '${editor}' ended with ${signal ?? `status ${status}`}: nothing was changed`,
    exitStatus.failure,
    status === 127 ? 'name another with --editor, or in VISUAL or EDITOR' : undefined,
  );
}

/** Edits a copy on the host. Gives false where it was not changed. */
async function editOne(guest: Guest, path: string, editor: string): Promise<boolean> {
  const { g, invocation } = guest;
  const { stMode } = await statusAt(guest, path);
  if (!isRegularFile(stMode)) throw new Failure(`${path}: is no file that can be edited`);
  const directory = mkdtempSync(join(process.env.LIBGUESTFS_TMPDIR ?? tmpdir(), 'guestfs-edit-'));
  const done = begin(directory);
  try {
    const name = baseName(path);
    // Editors go by the ending of the name.
    const copy = join(directory, hostNameProblem(name, process.platform) === undefined ? name : 'file');
    await invocation.withProgress(path, 'bytes', (controls) => g.download(path, copy, controls));
    const before = readFileSync(copy);
    await runEditor(editor, copy);
    if (before.equals(readFileSync(copy))) {
      invocation.note(`${path}: not changed`);
      return false;
    }
    await replaceFile(guest, path, (temporary) =>
      invocation.withProgress(path, 'bytes', (controls) => g.upload(copy, temporary, controls)),
    );
    return true;
  } finally {
    rmSync(directory, { recursive: true, force: true });
    done();
  }
}

export const edit: Command = {
  options: { ...changingOptions, editor: { type: 'text' } },
  async run(invocation) {
    const { options, operands } = invocation;
    const editor = options.text('editor') ?? (process.env.VISUAL || process.env.EDITOR || 'vi');
    await changePaths(invocation, operands, 'changed', (guest, path) => editOne(guest, path, editor));
  },
};
