import type { Json, JsonObject } from '../kubernetes.ts'
import { defined, numberIn, objectIn, textIn } from './json.ts'

/** What a typed protocol of v1alpha2 becomes, and what of it has no place in Skerry. */
export interface Converted {
  /** `protocol` or `visitors` of v1beta1; absent where nothing is configured. */
  readonly config?: JsonObject
  readonly problems: readonly string[]
}

const PROTOCOLS = ['modbus', 'opcua', 'bluetooth', 'customizedProtocol'] as const

/** `spec.protocol`: one protocol with its typed fields, and the line or connection in `common`. */
export function protocolOf(protocol: JsonObject | undefined): Converted {
  const named = PROTOCOLS.filter((name) => objectIn(protocol?.[name]))
  const [name, ...others] = named
  if (!protocol || !name) return { problems: ['spec.protocol names no protocol: write protocolName and configData'] }
  const problems = others.length > 0 ? [`spec.protocol names several protocols (${named.join(', ')}): keep one`] : []
  const common = objectIn(protocol['common']) ?? {}
  const own = objectIn(protocol[name]) ?? {}
  const line = { ...lineOf(common), ...objectIn(common['customizedValues']) }
  switch (name) {
    case 'modbus':
      return withProtocol('modbus', { ...modeOf(common), ...line, ...defined({ unitId: own['slaveID'] }) }, problems)
    case 'opcua':
      return withProtocol('opcua', { ...objectIn(common['customizedValues']), ...opcuaOf(own) }, [
        ...problems,
        ...opcuaProblems(own),
      ])
    case 'bluetooth':
      return withProtocol('bluetooth', { ...line, ...defined({ macAddress: own['macAddress'] }) }, problems)
    case 'customizedProtocol': {
      const called = textIn(own['protocolName'])
      const config = { ...line, ...objectIn(own['configData']) }
      return withProtocol(
        called,
        config,
        called ? problems : [...problems, 'spec.protocol has no protocolName: write the one of its mapper'],
      )
    }
  }
}

/** One of `spec.propertyVisitors`. */
export function visitorOf(visitor: JsonObject): Converted {
  const name = PROTOCOLS.find((each) => objectIn(visitor[each]))
  const more = objectIn(visitor['customizedValues']) ?? {}
  const own = name && objectIn(visitor[name])
  if (!name || !own) return Object.keys(more).length > 0 ? withProtocol(undefined, more, []) : { problems: [] }
  switch (name) {
    case 'modbus':
      return withProtocol('modbus', { ...more, ...own }, [])
    case 'opcua':
      return withProtocol(
        'opcua',
        { ...more, ...defined({ nodeId: textIn(own['nodeID']), browsePath: browsePathOf(own) }) },
        [],
      )
    case 'bluetooth':
      return withProtocol('bluetooth', { ...more, ...own }, [
        `property ${textIn(visitor['propertyName']) ?? ''} is a Bluetooth GATT characteristic: such devices need a mapper of their own`,
      ])
    case 'customizedProtocol':
      return withProtocol(textIn(own['protocolName']), { ...more, ...objectIn(own['configData']) }, [])
  }
}

function withProtocol(protocolName: string | undefined, configData: JsonObject, problems: readonly string[]) {
  const config = defined({
    protocolName,
    configData: Object.keys(configData).length > 0 ? configData : undefined,
  })
  return { config, problems }
}

function modeOf(common: JsonObject): JsonObject {
  if (objectIn(common['com'])) return { mode: 'RTU' }
  return objectIn(common['tcp']) ? { mode: 'TCP' } : {}
}

/** `common.com` and `common.tcp` in the keys of v1beta1. */
function lineOf(common: JsonObject): JsonObject {
  const { serialPort, baudRate, dataBits, parity, stopBits } = objectIn(common['com']) ?? {}
  const { ip, port } = objectIn(common['tcp']) ?? {}
  return defined({ host: textIn(ip), port: numberIn(port), serialPort, baudRate, dataBits, parity, stopBits })
}

const POLICIES = ['None', 'Aes128_Sha256_RsaOaep', 'Basic256Sha256', 'Aes256_Sha256_RsaPss']
const MODES = ['None', 'Sign', 'SignAndEncrypt']

function opcuaOf(own: JsonObject): JsonObject {
  const isMapped = (value: Json | undefined) => textIn(value)?.startsWith('/')
  const { certificate, privateKey } = own
  return defined({
    url: textIn(own['url']),
    username: textIn(own['userName']),
    securityPolicy: spelled(own['securityPolicy'], POLICIES),
    securityMode: spelled(own['securityMode'], MODES),
    certificateFile: isMapped(certificate) ? certificate : undefined,
    privateKeyFile: isMapped(privateKey) ? privateKey : undefined,
    timeout: numberIn(own['timeout']),
  })
}

function opcuaProblems(own: JsonObject): readonly string[] {
  const problems: string[] = []
  if (textIn(own['password'])) {
    problems.push(
      'the password of an OPC UA server stands in no manifest: put it into a file on the node and name it as passwordFile',
    )
  }
  for (const key of ['certificate', 'privateKey']) {
    const value = textIn(own[key])
    if (value && !value.startsWith('/'))
      problems.push(`${key} of an OPC UA server is the path of a file on the node, from / on`)
  }
  return problems
}

/** As Skerry spells it; unknown words stay, and the mapper refuses them by name. */
function spelled(value: Json | undefined, words: readonly string[]): string | undefined {
  const text = textIn(value)
  return text && (words.find((word) => word.toLowerCase() === text.toLowerCase()) ?? text)
}

/** A browse name alone is a way of one step, below namespace 0 unless it says another. */
function browsePathOf(own: JsonObject): string | undefined {
  const name = textIn(own['browseName'])
  if (!name || textIn(own['nodeID'])) return undefined
  return name.startsWith('/') ? name : `/${name}`
}
