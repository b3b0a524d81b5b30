/** Permissions as chmod(1) takes them: `0644`, `u+x`, `go-w,a+X`. */
import { usageFailure } from '../command/failure.js';

/** The permissions that a file gets in place of those that it has. */
type ModeChange = (mode: number, isDirectory: boolean) => number;

/** The classes of users: the place of their three bits, and the bit that `s` sets. */
const classes: Readonly<Record<string, { readonly shift: number; readonly set: number }>> = {
  u: { shift: 6, set: 0o4000 },
  g: { shift: 3, set: 0o2000 },
  o: { shift: 0, set: 0 },
};
const bits: Readonly<Record<string, number>> = { r: 4, w: 2, x: 1 };
const sticky = 0o1000;
const anyExecute = 0o111;
const allBits = 0o7777;

const clauseForm = /^([ugoa]*)((?:[-+=](?:[rwxXst]*|[ugo]))+)$/;

/** The bits that the letters stand for, of the given classes. */
function bitsOf(letters: string, who: string, mode: number, isDirectory: boolean): number {
  let found = 0;
  for (const letter of letters) {
    if (letter === 't') found |= who.includes('o') ? sticky : 0;
    for (const each of who) {
      const { shift, set } = classes[each] ?? { shift: 0, set: 0 };
      const runs = letter === 'X' && (isDirectory || (mode & anyExecute) !== 0);
      const copied = classes[letter];
      if (letter === 's') found |= set;
      else if (copied !== undefined) found |= ((mode >> copied.shift) & 7) << shift;
      else found |= (runs ? 1 : (bits[letter] ?? 0)) << shift;
    }
  }
  return found;
}

/** What `=` takes away before it sets. */
const ownedBy = (who: string): number =>
  [...who].reduce((all, each) => all | (7 << (classes[each]?.shift ?? 0)) | (classes[each]?.set ?? 0), 0) |
  (who.includes('o') ? sticky : 0);

function readClause(clause: string, word: string): ModeChange {
  const [, who = '', steps = ''] = clauseForm.exec(clause) ?? [];
  if (steps === '')
    throw usageFailure(
      `'${word}' is no mode`,
      'write 0644, or as u+x, go-w, a=r; one that begins with - after --',
    );
  const whom = who === '' || who.includes('a') ? 'ugo' : who;
  const changes = [...steps.matchAll(/([-+=])([rwxXstugo]*)/g)];
  return (before, isDirectory) => {
    let mode = before;
    for (const [, sign, letters = ''] of changes) {
      const named = bitsOf(letters, whom, mode, isDirectory);
      if (sign === '-') mode &= ~named;
      else mode = (sign === '=' ? mode & ~ownedBy(whom) : mode) | named;
    }
    return mode & allBits;
  };
}

/** Reads the word once; the result is for each file. No umask is counted in. */
export function readMode(word: string): ModeChange {
  if (/^[0-7]{1,5}$/.test(word) && Number.parseInt(word, 8) <= allBits) {
    const mode = Number.parseInt(word, 8);
    return () => mode;
  }
  const clauses = word.split(',').map((clause) => readClause(clause, word));
  return (mode, isDirectory) => clauses.reduce((now, change) => change(now, isDirectory), mode & allBits);
}
