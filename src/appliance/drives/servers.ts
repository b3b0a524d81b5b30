/**
 * The servers of drives on the network, in the form of `add_drive`: `host`, `host:port`, `tcp:host:port`,
 * `unix:/path`.
 */
import { GuestfsError } from '../../base/index.js';

/** Where a server listens. */
export type ServerAddress =
  | { readonly type: 'inet'; readonly host: string; readonly port: number }
  | { readonly type: 'unix'; readonly path: string };

/** Reads a server. An IPv6 address with a port must stand in brackets. Throws GuestfsError (EINVAL). */
export function parseServer(server: string, defaultPort: number): ServerAddress {
  if (server.startsWith('unix:')) return { type: 'unix', path: server.slice('unix:'.length) };
  const address = server.startsWith('tcp:') ? server.slice('tcp:'.length) : server;
  const bracketed = /^\[([^\]]*)\](?::([0-9]{1,5}))?$/s.exec(address);
  const plain = /^([^:]*)(?::([0-9]{1,5}))?$/s.exec(address);
  const [, host, port] = bracketed ?? plain ?? [undefined, address];
  if (host === undefined || host === '')
    throw new GuestfsError('EINVAL', `the server '${server}' has no host name`);
  return { type: 'inet', host, port: port === undefined ? defaultPort : Number(port) };
}

/** In a URL, an IPv6 address has brackets again. */
export function authority({ host, port }: { host: string; port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
