/**
 * What was measured so far, kept on disk, so that a run which takes long can be made in pieces. Pieces belong to one
 * build of ours: what another one did is not found.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A figure of the builds' own: the digest of their code. */
function buildOf(dists: readonly string[]): string {
  const hash = createHash('sha256');
  for (const dist of dists)
    for (const name of readdirSync(dist).sort())
      if (/\.c?js$/.test(name)) hash.update(readFileSync(join(dist, name)));
  return hash.digest('hex').slice(0, 16);
}

export class Pieces {
  readonly #directory: string;

  /** `directory` is made; with `fresh` what was kept for these builds is forgotten. */
  constructor(directory: string, dists: readonly string[], { fresh }: { fresh: boolean }) {
    this.#directory = join(directory, buildOf(dists));
    if (fresh) rmSync(this.#directory, { recursive: true, force: true });
    mkdirSync(this.#directory, { recursive: true });
  }

  /** A piece as it was kept, or undefined. */
  find(id: string): unknown {
    const path = this.#path(id);
    return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
  }

  keep(id: string, piece: unknown): void {
    writeFileSync(this.#path(id), JSON.stringify(piece));
  }

  #path(id: string): string {
    return join(this.#directory, `${id}.json`);
  }
}
