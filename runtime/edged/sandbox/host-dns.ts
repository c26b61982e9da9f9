import { open } from 'node:fs/promises'
import { hasCode } from '../../../platform/lifecycle/index.ts'
import type { DnsConfig } from '../cri/runtime.ts'
import { mergedOptions } from './dns.ts'

/** Where a node has its resolver's configuration. */
const RESOLVER_FILES = { file: '/etc/resolv.conf', behindStub: '/run/systemd/resolve/resolv.conf' }

/** Larger is no resolver's configuration. */
const MOST_BYTES = 1 << 20
/** systemd-resolved listens there, for processes of the node alone. */
const STUBS = new Set(['127.0.0.53', '127.0.0.54'])
/** A kubelet without a file: nobody is asked, and nothing is searched. */
const NOWHERE: DnsConfig = { servers: ['127.0.0.1'], searches: ['.'], options: [] }

/**
 * The resolver of this node, for pods. The stub of systemd-resolved is of no use to them, so they get the servers behind it.
 */
export async function readHostDns({ file, behindStub } = RESOLVER_FILES): Promise<DnsConfig> {
  const text = await contentsOf(file)
  if (text === undefined) return NOWHERE
  const own = parseResolverFile(text)
  if (!own.servers.some((server) => STUBS.has(server))) return own
  const behind = parseResolverFile((await contentsOf(behindStub)) ?? '')
  return behind.servers.length > 0 ? behind : own
}

/** resolv.conf(5). Of `search` and `domain` the last one counts, of options the last one of a name. */
export function parseResolverFile(text: string): DnsConfig {
  const servers: string[] = []
  const options: string[] = []
  let searches: readonly string[] = []
  for (const line of text.split('\n')) {
    const [keyword, ...values] = line.trim().split(/\s+/)
    if (keyword === 'nameserver' && values[0]) servers.push(values[0])
    if (keyword === 'search' || keyword === 'domain') searches = values.filter((one) => one !== '.').map(withoutDot)
    if (keyword === 'options') options.push(...values)
  }
  return { servers, searches, options: mergedOptions(options) }
}

function withoutDot(domain: string): string {
  return domain.endsWith('.') ? domain.slice(0, -1) : domain
}

/** Undefined: there is no such file. */
async function contentsOf(file: string): Promise<string | undefined> {
  try {
    await using handle = await open(file)
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(MOST_BYTES), 0, MOST_BYTES, 0)
    return buffer.subarray(0, bytesRead).toString()
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined
    throw error
  }
}
