/**
 * The servers of drives on the network, as `add_drive` takes them: `host`, `host:port`, `tcp:host:port`,
 * `unix:/path`.
 */
import { GuestfsError } from '../base/index.js';

/** Where a server listens. */
export type ServerAddress =
  | { readonly type: 'inet'; readonly host: string; readonly port: number }
  | { readonly type: 'unix'; readonly path: string };

const invalid = (problem: string): GuestfsError => new GuestfsError('EINVAL', problem);

/**
 * Reads a server; one that names no port has the default. An IPv6 address is written in brackets where a port follows it.
 * Throws GuestfsError (EINVAL).
 */
export function parseServer(server: string, defaultPort: number): ServerAddress {
  if (server.startsWith('unix:')) {
    const path = server.slice('unix:'.length);
    if (path === '') throw invalid('the path of the Unix socket is missing');
    return { type: 'unix', path };
  }
  const address = server.startsWith('tcp:') ? server.slice('tcp:'.length) : server;
  const [, name = '', port] = /^(\[[^\]]*\]|.*?)(?::([0-9]+))?$/s.exec(address) ?? [];
  if (name === '[]' || !/^[\p{L}\p{N}\-._:[\]]+$/u.test(name))
    throw invalid(`invalid host name '${name}' in server '${server}'`);
  // An IPv6 address without brackets has no port: its last colon belongs to the address.
  if (name.includes(':') && !name.startsWith('[')) return { type: 'inet', host: address, port: defaultPort };
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65535))
    throw invalid(`invalid port number ${port} in server '${server}'`);
  const host = /^\[([^\]]*)\]$/.exec(name)?.[1] ?? name;
  return { type: 'inet', host, port: port === undefined ? defaultPort : Number(port) };
}

/** In a URL, an IPv6 address has brackets again. */
export function authority({ host, port }: { host: string; port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
