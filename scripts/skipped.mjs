// A reporter for Node's test runner: which tests were skipped, counted by their reason. Silent when none was.
export default async function* skipped(events) {
  const reasons = new Map();
  for await (const { type, data } of events) {
    if ((type === 'test:pass' || type === 'test:fail') && data.skip !== undefined) {
      const reason = typeof data.skip === 'string' ? data.skip : 'no reason given';
      reasons.set(reason, [...(reasons.get(reason) ?? []), data.name]);
    }
  }
  if (reasons.size === 0) return;
  const total = [...reasons.values()].reduce((sum, names) => sum + names.length, 0);
  yield `\n${total} tests were skipped:\n`;
  for (const [reason, names] of [...reasons].sort((a, b) => b[1].length - a[1].length))
    yield `${String(names.length).padStart(5)}  ${reason}\n`;
}
