/** Lists of users and groups, as passwd(5) and group(5) have them: lines `name:password:number:…`. */

/** No real list is longer, in bytes. */
export const accountListLimit = 4 * 1024 * 1024;

/** The largest number of a user or a group: the one above it means none. */
export const largestAccount = 2 ** 32 - 2;

function* accountLines(text: string): Generator<readonly [name: string, number: number], void> {
  for (const line of text.split('\n')) {
    const [name, , number] = line.split(':');
    if (name && number !== undefined && /^[0-9]{1,10}$/.test(number)) yield [name, Number(number)];
  }
}

/** Names by number. The first line with a number counts. */
export function accountNames(text: string): Map<number, string> {
  const names = new Map<number, string>();
  for (const [name, number] of accountLines(text)) if (!names.has(number)) names.set(number, name);
  return names;
}

/** Numbers by name. The first line with a name counts. */
export function accountNumbers(text: string): Map<string, number> {
  const numbers = new Map<string, number>();
  for (const [name, number] of accountLines(text)) if (!numbers.has(name)) numbers.set(name, number);
  return numbers;
}
