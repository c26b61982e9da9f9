import { stringify } from 'yaml'
import { builtInMappers, loadMapper } from '../../../mappers/host/index.ts'
import { ensureDirectory } from '../../../platform/files/index.ts'
import { ConfigError } from '../../../platform/lifecycle/index.ts'
import { ms, systemClock } from '../../../platform/time/index.ts'
import { DEVICE_API_VERSION } from '../../../schemas/index.ts'
import type { CommonOptions } from '../command-options.ts'
import { EXIT } from '../exit.ts'
import { mapperFolder } from '../mapper-folder.ts'
import { stopSignal } from '../signals.ts'
import type { Console } from '../terminal.ts'

export interface DiscoverOptions extends CommonOptions {
  /** `key=value`, of the device configuration. */
  readonly set?: readonly string[]
  readonly node?: string
}

type Found = Awaited<ReturnType<typeof all>>[number]
type AnyMapper = Awaited<ReturnType<typeof loadMapper>>

/** `skerry discover PROTOCOL [URL]`: what is there, as DeviceModels and Devices for kubectl apply. */
export async function discover(words: readonly string[], options: DiscoverOptions, terminal: Console): Promise<number> {
  const [protocol = '', url] = words
  const source = builtInMappers.find((each) => each.protocol === protocol || each.aliases?.includes(protocol))
  const mapper = source && (await loadMapper(source))
  if (!source || !mapper?.discover) {
    throw new ConfigError(
      `"${protocol}" is no protocol whose devices can be discovered; try: skerry discover opcua opc.tcp://HOST:4840, or skerry discover modbus HOST`,
      {
        code: 'PROCESS_DISCOVER_UNKNOWN',
      },
    )
  }
  const where = url === undefined ? {} : placeOf(url, mapper.deviceConfig.jsonSchema)
  const parsed = mapper.deviceConfig.parse({ ...where, ...settings(options.set ?? []) })
  if (!parsed.ok) {
    const reasons = parsed.issues.map(({ pointer, message }) => `${pointer || '/'} ${message}`)
    throw new ConfigError(`this is no ${protocol} device: ${reasons.join('; ')}; give keys with --set key=value`, {
      code: 'PROCESS_DISCOVER_CONFIG_INVALID',
    })
  }
  // The folder of the mapper, so that a certificate which is trusted here is trusted by the edge as well.
  const folder = mapperFolder(options.data, source.protocol)
  await ensureDirectory(folder, 0o700)
  const found = await all(mapper, parsed.value, { folder, terminal })
  const manifests = found.flatMap((device) => manifestsOf(mapper, source.protocol, device, options.node))
  if (options.output === 'json') terminal.print('json', manifests, '')
  else terminal.write(manifests.map((manifest) => stringify(manifest)).join('---\n'))
  if (found.length === 0) terminal.error('skerry: nothing was found')
  return found.length === 0 ? EXIT.failure : EXIT.ok
}

interface Place {
  readonly folder: string
  readonly terminal: Console
}

async function all(mapper: AnyMapper, config: unknown, { folder, terminal }: Place) {
  const signal = stopSignal(() => process.exit(EXIT.unclean))
  const context = {
    clock: {
      now: () => systemClock.now(),
      sleep: (milliseconds: number, until: AbortSignal) => systemClock.sleep(ms(milliseconds), until),
    },
    log: {
      debug: () => undefined,
      warn: (message: string, fields: object = {}) =>
        terminal.error(
          `skerry: ${message} ${Object.keys(fields).length === 0 ? '' : JSON.stringify(fields)}`.trimEnd(),
        ),
    },
    signal,
    folder,
  }
  const found = []
  for await (const device of mapper.discover?.(config, context) ?? []) found.push(device)
  return found
}

/** The visitors stand in the model, so that one like it needs no more than another address. */
function manifestsOf(mapper: AnyMapper, protocol: string, found: Found, node: string | undefined): readonly object[] {
  const { name, description, device, properties } = found
  const isCallable = ({ visitor }: Found['properties'][number]) => {
    const parsed = mapper.visitorConfig.parse(visitor)
    return parsed.ok && mapper.isCallable?.(parsed.value) === true
  }
  const methods = properties.filter(isCallable).map((property) => ({
    name: property.name,
    ...(property.description === undefined ? {} : { description: property.description }),
    propertyNames: [property.name],
  }))
  const metadata = { name, namespace: 'default' }
  return [
    {
      apiVersion: DEVICE_API_VERSION,
      kind: 'DeviceModel',
      metadata,
      spec: {
        protocol,
        properties: properties.map(({ visitor, ...property }) => ({
          ...property,
          visitors: { protocolName: protocol, configData: visitor },
        })),
      },
    },
    {
      apiVersion: DEVICE_API_VERSION,
      kind: 'Device',
      metadata: {
        ...metadata,
        ...(description === undefined ? {} : { annotations: { 'skerry.dev/found-as': description } }),
      },
      spec: {
        deviceModelRef: { name },
        ...(node === undefined ? {} : { nodeName: node }),
        protocol: { protocolName: protocol, configData: device },
        ...(methods.length === 0 ? {} : { methods }),
        properties: properties.map((property) => ({
          name: property.name,
          ...(isCallable(property) ? {} : { reportToCloud: true }),
        })),
      },
    },
  ]
}

/** Where to look, by the keys that the protocol has: a URL, a serial port, or a host with or without a port. */
function placeOf(text: string, schema: object): { readonly [key: string]: string } {
  const keys = 'properties' in schema ? Object.keys(Object(schema.properties)) : []
  if (keys.includes('url') || !keys.includes('host')) return { url: text }
  if (/^(\/|COM\d)/i.test(text) && keys.includes('serialPort')) return { serialPort: text }
  const [, bracketed, plain = text, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? []
  return { host: bracketed ?? plain, ...(port === undefined ? {} : { port }) }
}

function settings(pairs: readonly string[]): { readonly [key: string]: string } {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=')
      if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)]
      throw new ConfigError(`"${pair}" is no key=value`, { code: 'PROCESS_DISCOVER_CONFIG_INVALID' })
    }),
  )
}
