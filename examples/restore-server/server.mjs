// A file-restore server: lists the files of a VM's disk image over HTTP, and gives files, parts of files and folders.
//
//     node server.mjs IMAGE [PORT]
//
//     GET /list/etc?after=NAME&limit=100   a page of a directory as JSON; `next` leads to the next page
//     GET /file/etc/passwd                 a file; Range and HEAD work
//     GET /tar/etc?job=ID, /zip/etc?job=ID a folder as an archive, made while it is sent
//     GET /jobs/ID, DELETE /jobs/ID        how far the archive of that job is, as server-sent events; cancel it
//
// It listens on this machine alone, and never writes. Paths are the guest's: nothing here opens a file of the host.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import { GuestfsError, GuestfsPool, PartialError } from 'guestfs';

/** Downloads at a time; further ones wait. */
const handles = 4;
/** A client that takes nothing for so long loses its download, in milliseconds. */
const patience = 60_000;
const statuses = { ENOENT: 404, ENOTDIR: 404, EISDIR: 400, EINVAL: 400, ELOOP: 400, ENAMETOOLONG: 400 };
const types = new Map([
  [0o100000, 'file'],
  [0o040000, 'directory'],
  [0o120000, 'symlink'],
]);
const typeOf = ({ stMode }) => types.get(stMode & 0o170000) ?? 'special';

/** A failure with a status of HTTP. */
class HttpError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

// Names of a guest need not be UTF-8: the library has a byte 0xNN of such a name as the lone surrogate U+DCNN.
const encode = (name) =>
  Array.from(name, (one) =>
    /[\udc80-\udcff]/u.test(one) ? `%${(one.charCodeAt(0) - 0xdc00).toString(16)}` : encodeURIComponent(one),
  ).join('');

function decodeBytes(escapes) {
  let text = '';
  for (let rest = escapes; rest !== ''; ) {
    let length = 4;
    for (let isWhole = false; !isWhole && length > 0; )
      try {
        text += decodeURIComponent(rest.slice(0, 3 * length));
        isWhole = true;
      } catch {
        length--;
      }
    if (length === 0) text += String.fromCharCode(0xdc00 + Number.parseInt(rest.slice(1, 3), 16));
    rest = rest.slice(3 * Math.max(length, 1));
  }
  return text;
}

const decode = (text) => text.replace(/(?:%[0-9a-f]{2})+/gi, decodeBytes);

/** The guest's path in a URL's. In front of it, `/.` has `/dev/sda` mean a file of that name, and no disk. */
const guestPath = (path) => `/.${decode(path) || '/'}`;

/** A value in the query of a URL; undefined without one. */
const valueIn = (query, name) => {
  const pair = query.split('&').find((each) => each.startsWith(`${name}=`));
  return pair === undefined ? undefined : decode(pair.slice(name.length + 1));
};

/** `bytes=0-99`, `bytes=100-` and `bytes=-100` as first and last byte; undefined for all other forms. */
function rangeOf(header, size) {
  const [, from, to] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? [];
  if (from === undefined || (from === '' && to === '')) return undefined;
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (start >= size || start > end) throw new HttpError(416, `the file has ${size} bytes`);
  return { start, end };
}

const attachment = (name) => `attachment; filename*=UTF-8''${encode(name).replace(/['()*]/g, escape)}`;
const lastName = (path) =>
  path
    .split('/')
    .filter((name) => name !== '' && name !== '.')
    .at(-1) ?? 'root';

/** The server for an image, not listening yet; `close` of the pool ends what runs. */
export function restoreServer(image, { max = handles } = {}) {
  const pool = new GuestfsPool(image, { max });
  /** Archives that are being sent: how far, who listens, and how to end them. */
  const jobs = new Map();

  /** Sends a stream at the client's pace. Resolves when all is sent. */
  async function send(response, stream, signal) {
    for await (const chunk of stream) if (!response.write(chunk)) await once(response, 'drain', { signal });
  }

  async function list({ response, path, query, signal }) {
    const limit = Math.min(Number(valueIn(query, 'limit')) || 100, 1000);
    const after = valueIn(query, 'after');
    const page = await pool.use(
      async (g) => {
        const all = await g.ls(path, { signal });
        const begin = after === undefined ? 0 : all.indexOf(after) + 1;
        if (after !== undefined && begin === 0) throw new HttpError(404, 'there is no such name');
        const names = all.slice(begin, begin + limit);
        const stats = await g.lstatnslist(path, names, { signal });
        const entries = names.map((name, index) => ({
          name,
          href: encode(name),
          type: typeOf(stats[index]),
          size: stats[index].stSize,
          mode: stats[index].stMode & 0o7777,
          modified: new Date(stats[index].stMtimeSec * 1000),
        }));
        return { entries, next: begin + limit < all.length ? encode(names.at(-1)) : null };
      },
      { signal },
    );
    response.setHeader('content-type', 'application/json').end(JSON.stringify(page));
  }

  async function file({ request, response, path, signal }) {
    await pool.use(
      async (g) => {
        const stats = await g.statns(path, { signal });
        if (typeOf(stats) !== 'file') throw new HttpError(400, `${path.slice(2)} is a ${typeOf(stats)}`);
        const { stSize: size, stIno, stMtimeSec, stMtimeNsec } = stats;
        const tag = `"${[stIno, size, stMtimeSec, stMtimeNsec].map((n) => n.toString(36)).join('-')}"`;
        response.setHeaders(
          new Map([
            ['accept-ranges', 'bytes'],
            ['content-disposition', attachment(lastName(path))],
            ['content-range', `bytes */${size}`],
            ['content-type', 'application/octet-stream'],
            ['etag', tag],
          ]),
        );
        const isSame = [undefined, tag].includes(request.headers['if-range']);
        const range = isSame ? rangeOf(request.headers.range, size) : undefined;
        if (range === undefined) response.removeHeader('content-range');
        else response.setHeader('content-range', `bytes ${range.start}-${range.end}/${size}`);
        const length = range === undefined ? size : range.end - range.start + 1;
        response.writeHead(range === undefined ? 200 : 206, { 'content-length': length });
        if (request.method !== 'HEAD' && length > 0)
          await send(response, g.createReadStream(path, { ...range, signal }), signal);
        response.end();
      },
      { signal },
    );
  }

  async function archive({ request, response, kind, path, query, signal, abort }) {
    const id = valueIn(query, 'job');
    if (id !== undefined && (!/^[\w-]{1,64}$/.test(id) || jobs.has(id)))
      throw new HttpError(409, `job ${id} is no name for a job, or runs already`);
    const job = { abort, listeners: new Set(), last: { position: 0, total: 0 } };
    const tell = (event, data) => {
      for (const each of job.listeners) each.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    };
    if (id !== undefined) jobs.set(id, job);
    let outcome = { ok: true };
    try {
      await pool.use(
        async (g) => {
          if (!(await g.isDir(path, { followsymlinks: true, signal })))
            throw new HttpError(404, `${path.slice(2)} is no directory`);
          response.writeHead(200, {
            'content-disposition': attachment(`${lastName(path)}.${kind}`),
            'content-type': kind === 'tar' ? 'application/x-tar' : 'application/zip',
            trailer: 'x-restore-warning',
          });
          if (request.method === 'HEAD') return;
          const onProgress = ({ position, total }) => {
            job.last = { position, total };
            tell('progress', job.last);
          };
          const make = kind === 'tar' ? g.tarStream : g.zipStream;
          await send(response, make.call(g, path, { signal, onProgress }), signal);
        },
        { signal },
      );
      response.end();
    } catch (error) {
      outcome = { ok: false, message: signal.aborted ? signal.reason.message : error.message };
      if (!(error instanceof PartialError)) throw error;
      // All that is not damaged was sent.
      response.addTrailers({ 'x-restore-warning': encodeURIComponent(error.message.toWellFormed()) });
      response.end();
    } finally {
      jobs.delete(id);
      tell('end', outcome);
      for (const each of job.listeners) each.end();
    }
  }

  async function jobEvents({ request, response, path }) {
    const job = jobs.get(path.slice(3));
    if (job === undefined) throw new HttpError(404, 'there is no such job');
    if (request.method === 'DELETE') {
      job.abort.abort(new Error('the job was cancelled'));
      return response.writeHead(204).end();
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(`event: progress\ndata: ${JSON.stringify(job.last)}\n\n`);
    job.listeners.add(response);
    response.on('close', () => job.listeners.delete(response));
  }

  const routes = { list, file, tar: archive, zip: archive, jobs: jobEvents };

  const server = createServer(async (request, response) => {
    response.setHeader('x-content-type-options', 'nosniff');
    const abort = new AbortController();
    const { signal } = abort;
    response.on('close', () => abort.abort(new Error('the client is gone')));
    response.setTimeout(patience, () => response.destroy());
    try {
      // A page of somebody else's site must not reach this server by a name of its own.
      if (!/^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/.test(request.headers.host ?? ''))
        throw new HttpError(403, 'this server is for this machine alone');
      const [, kind, path, query = ''] = /^\/(\w+)((?:\/[^?]*)?)(?:\?(.*))?$/.exec(request.url) ?? [];
      if (!Object.hasOwn(routes, kind ?? '')) throw new HttpError(404, 'see /list/');
      const methods = kind === 'jobs' ? ['GET', 'DELETE'] : ['GET', 'HEAD'];
      if (!methods.includes(request.method)) throw new HttpError(405, `${methods.join(' and ')} alone`);
      const given = { request, response, kind, signal, abort };
      await routes[kind]({ ...given, path: guestPath(path), query });
    } catch (error) {
      // A client of whom a part is sent already learns by the broken connection that it lacks the rest.
      if (response.headersSent || response.destroyed) return response.destroy();
      const isGuest = error instanceof GuestfsError;
      const status =
        error.status ?? (isGuest ? statuses[error.code] : error instanceof TypeError ? 400 : undefined);
      response.writeHead(status ?? 500, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: error.message.replaceAll('/./', '/'), code: error.code }));
    }
  });
  server.on('close', () => pool.close());
  return server;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [image, port = '8000'] = process.argv.slice(2);
  if (image === undefined) throw new Error('usage: node server.mjs IMAGE [PORT]');
  const server = restoreServer(image);
  server.listen(Number(port), '127.0.0.1', () =>
    console.log(`http://127.0.0.1:${server.address().port}/list/`),
  );
}
