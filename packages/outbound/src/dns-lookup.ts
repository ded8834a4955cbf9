import type { LookupAddress } from 'node:dns';
import type { Resolver } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';

/** What a resolver says where there is no such name, or nothing of the kind that was asked for. */
const NOTHING_THERE: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA']);

/**
 * Finds addresses by asking DNS, as node's own lookup does not: that one waits in one of two threads which all lookups of the process
 * share, and a customer whose name servers hang would hold them. It knows nothing of `/etc/hosts` and search domains, which a customer's
 * address has no business with.
 */
export function createDnsLookup(resolver: Pick<Resolver, 'resolve4' | 'resolve6'>): LookupFunction {
  return (hostname, options, callback) => {
    void findAddresses(resolver, hostname).then(
      (addresses) => {
        const [first] = addresses;
        if (options.all === true) return callback(null, addresses);
        callback(null, first?.address ?? '', first?.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, []),
    );
  };
}

/** One at least. IPv4 comes first: more servers have it, and more of ours. */
async function findAddresses(
  resolver: Pick<Resolver, 'resolve4' | 'resolve6'>,
  hostname: string,
): Promise<LookupAddress[]> {
  const [ipv4, ipv6] = await Promise.allSettled([
    resolver.resolve4(hostname),
    resolver.resolve6(hostname),
  ]);
  const addresses = [...toAddresses(ipv4, 4), ...toAddresses(ipv6, 6)];
  if (addresses.length > 0) return addresses;
  throw toError(hostname, [ipv4, ipv6]);
}

function toAddresses(
  result: PromiseSettledResult<readonly string[]>,
  family: 4 | 6,
): readonly LookupAddress[] {
  if (result.status === 'rejected') return [];
  return result.value.map((address) => ({ address, family }));
}

/** Trouble with one of the questions may pass: only where both say so there is no such name. */
function toError(hostname: string, results: readonly PromiseSettledResult<unknown>[]): Error {
  const trouble = results.map(toCode).find((code) => !NOTHING_THERE.has(code));
  return Object.assign(new Error(`${hostname} is not found`), { code: trouble ?? 'ENOTFOUND' });
}

/** An empty answer is one without a record of that kind. */
function toCode(result: PromiseSettledResult<unknown>): string {
  const reason: unknown = result.status === 'rejected' ? result.reason : undefined;
  if (typeof reason !== 'object' || reason === null || !('code' in reason)) return 'ENODATA';
  return String(reason.code);
}
