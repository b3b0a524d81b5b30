/** The example of a file-restore server, with several clients at once, of which one is slow. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ext4Image, scratchPath, withExt4 } from '../engine/support.js';
import { needs } from '../support/tools.js';

interface Example {
  restoreServer(image: string, options?: { readonly max?: number }): Server;
}

interface Entry {
  readonly name: string;
  readonly href: string;
  readonly type: string;
  readonly size: number;
}

let server: Server;
let port: number;

before(async () => {
  const example = new URL('../../../examples/restore-server/server.mjs', import.meta.url).href;
  server = ((await import(example)) as Example).restoreServer(ext4Image());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});

after(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

/** A request whose path goes out as it is, as no browser would send it. */
async function ask(
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<IncomingMessage> {
  const asked = request({ host: '127.0.0.1', port, path, headers, method, agent: false });
  asked.end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return response;
}

async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  return Buffer.concat(await response.toArray());
}

const get = async (path: string, headers: Record<string, string> = {}): Promise<Buffer> =>
  bodyOf(await ask(path, headers));
const list = async (path: string): Promise<{ entries: Entry[]; next: string | null }> =>
  JSON.parse((await get(path)).toString());

describe('the restore server', () => {
  test('lists a directory page by page', async () => {
    const all = (await list('/list/')).entries.map(({ name }) => name);
    const names: string[] = [];
    for (let after: string | null = ''; after !== null; ) {
      const page = await list(`/list/?limit=7${after === '' ? '' : `&after=${after}`}`);
      assert.ok(page.entries.length <= 7);
      names.push(...page.entries.map(({ name }) => name));
      after = page.next;
    }
    assert.ok(all.length > 20);
    assert.deepEqual(names, all);
  });

  test('gives files, parts of them, and facts of them', async () => {
    const whole = await withExt4(async (g) => Buffer.from(await g.readFile('/noise')));
    assert.deepEqual(await get('/file/noise'), whole);
    const part = await ask('/file/noise', { range: 'bytes=100-199' });
    assert.equal(part.statusCode, 206);
    assert.equal(part.headers['content-range'], 'bytes 100-199/32000');
    assert.deepEqual(await bodyOf(part), whole.subarray(100, 200));
    assert.deepEqual(await get('/file/noise', { range: 'bytes=-5' }), whole.subarray(-5));
    assert.deepEqual(await get('/file/noise', { range: 'bytes=31990-' }), whole.subarray(31_990));
    assert.deepEqual(await get('/file/noise', { range: 'bytes=0-9', 'if-range': '"other"' }), whole);
    const beyond = await ask('/file/noise', { range: 'bytes=32000-' });
    assert.equal(beyond.statusCode, 416);
    assert.equal(beyond.headers['content-range'], 'bytes */32000');
    beyond.resume();
    const head = await ask('/file/noise', {}, 'HEAD');
    assert.equal(head.headers['content-length'], '32000');
    assert.equal((await bodyOf(head)).length, 0);
    assert.equal((await get('/file/empty')).length, 0);
  });

  test('finds a name that is not UTF-8 by its href', async () => {
    const { entries } = await list('/list/dir');
    const found = entries.find(({ href }) => href === 'caf%e9');
    assert.equal(found?.type, 'file');
    assert.equal((await get(`/file/dir/${found.href}`)).length, found.size);
    assert.equal((await ask('/file/dir/caf%c3%a9')).statusCode, 200);
  });

  test('knows paths of the guest alone', async () => {
    const passwd = await get('/file/etc/passwd');
    for (const path of [
      '/file/../../../../etc/passwd',
      '/file/%2e%2e/%2e%2e/etc%2fpasswd',
      '/file//etc/passwd',
    ])
      assert.deepEqual(await get(path), passwd, path);
    assert.notDeepEqual(passwd, readFileSync('/etc/passwd'));
    for (const [path, status] of [
      ['/file/dev/sda', 404],
      ['/file/nowhere', 404],
      ['/file/etc', 400],
      ['/file/a%00b', 400],
      ['/tar/etc/passwd', 404],
      ['/', 404],
      ['/constructor/', 404],
      ['/jobs/none', 404],
    ] as const) {
      const response = await ask(path);
      assert.equal(response.statusCode, status, path);
      assert.match((await bodyOf(response)).toString(), /^{"error":"/);
    }
    assert.equal((await ask('/list/', { host: 'evil.example' })).statusCode, 403);
    assert.equal((await ask('/list/', {}, 'POST')).statusCode, 405);
  });

  test('gives folders as archives', needs('tar', 'unzip'), async () => {
    const [tar, zip, into] = [scratchPath('dir.tar'), scratchPath('dir.zip'), scratchPath('dir')];
    writeFileSync(tar, await get('/tar/dir'));
    writeFileSync(zip, await get('/zip/dir'));
    mkdirSync(into);
    execFileSync('tar', ['-xf', tar, '-C', into]);
    assert.ok(readFileSync(join(into, 'same')).equals(await get('/file/dir/same')));
    assert.match(execFileSync('unzip', ['-tq', zip], { encoding: 'latin1' }), /No errors/);
  });

  test('serves other clients while a slow one takes nothing', async () => {
    const slow = await Promise.all([ask('/file/huge'), ask('/tar/')]);
    // They are paused until somebody reads them.
    await Promise.all(
      Array.from({ length: 6 }, async (_, i) => {
        assert.equal((await get('/file/noise', { range: `bytes=${i}-${i}` })).length, 1);
        assert.ok((await list('/list/')).entries.length > 20);
        assert.equal((await get('/zip/etc')).subarray(0, 2).toString(), 'PK');
      }),
    );
    for (const each of slow) {
      assert.equal(each.complete, false);
      each.destroy();
    }
    // Their handles are free again.
    const four = await Promise.all([1, 2, 3, 4].map(() => ask('/file/huge')));
    for (const each of four) each.destroy();
    assert.equal((await get('/file/noise')).length, 32_000);
  });

  test('tells how far an archive is, and cancels it', async () => {
    const archive = await ask('/tar/?job=one');
    const broken = new Promise((resolve) => archive.once('close', resolve));
    archive.on('error', () => {}).resume();
    const events = await ask('/jobs/one');
    assert.equal(events.headers['content-type'], 'text/event-stream');
    const ended = once(events, 'end');
    let heard = '';
    events.setEncoding('utf8').on('data', (text) => {
      heard += text;
    });
    const progress = () =>
      [...heard.matchAll(/event: progress\ndata: (.*)\n/g)].map(([, data]) => JSON.parse(data as string));
    while (!progress().some(({ position }) => position > 0)) await once(events, 'data');
    const last = progress().at(-1);
    assert.ok(last.total > 5 * 2 ** 30 && last.position < last.total, JSON.stringify(last));
    assert.equal((await ask('/jobs/one', {}, 'DELETE')).statusCode, 204);
    await broken;
    assert.equal(archive.complete, false);
    await ended;
    assert.match(heard, /event: end\ndata: {"ok":false,"message":"the job was cancelled"/);
    assert.equal((await ask('/jobs/one')).statusCode, 404);
  });
});
