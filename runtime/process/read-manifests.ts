import { readFile } from 'node:fs/promises'
import { parseAllDocuments } from 'yaml'
import { ConfigError, describeError } from '../../platform/lifecycle/index.ts'
import { DEVICE_API_VERSION, type Device, type DeviceModel, PROPERTY_TYPES } from '../../schemas/index.ts'

export interface Manifests {
  readonly models: readonly DeviceModel[]
  readonly devices: readonly Device[]
}

/** The DeviceModels and Devices of YAML or JSON files, in their order; a file may hold several. Throws a ConfigError that names the file. */
export async function readManifests(files: readonly string[]): Promise<Manifests> {
  const models: DeviceModel[] = []
  const devices: Device[] = []
  for (const file of files) {
    for (const [index, value] of (await documentsOf(file)).entries()) {
      const found = { file, document: index }
      if (isModel(value, found)) models.push(value)
      else if (isDevice(value, found)) devices.push(value)
      else refuse('is neither a DeviceModel nor a Device', '/kind', found)
    }
  }
  return { models, devices }
}

interface Place {
  readonly file: string
  readonly document: number
}

async function documentsOf(file: string): Promise<readonly unknown[]> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    throw new ConfigError(`${file} cannot be read: ${describeError(cause)}`, {
      code: 'PROCESS_MANIFEST_UNREADABLE',
      fields: { file },
      cause,
    })
  }
  const values: unknown[] = []
  for (const document of parseAllDocuments(text)) {
    const [error] = document.errors
    if (error) refuse(error.message.split('\n')[0] ?? '', '', { file, document: values.length })
    const value: unknown = document.toJS()
    if (value !== null) values.push(value)
  }
  return values
}

function isModel(value: unknown, place: Place): value is DeviceModel {
  if (!isDeviceObject(value, 'DeviceModel', place)) return false
  for (const [index, property] of listOf(field(value, 'spec', 'properties')).entries()) {
    const type = field(property, 'type')
    if (type !== undefined && !PROPERTY_TYPES.some((each) => each === type)) {
      refuse(`must be one of ${PROPERTY_TYPES.join(', ')}`, `/spec/properties/${index}/type`, place)
    }
  }
  return true
}

function isDevice(value: unknown, place: Place): value is Device {
  return isDeviceObject(value, 'Device', place)
}

/** The parts that everybody relies on; the API judges the rest. */
function isDeviceObject(value: unknown, kind: string, place: Place): boolean {
  if (field(value, 'kind') !== kind) return false
  if (field(value, 'apiVersion') !== DEVICE_API_VERSION) refuse(`must be ${DEVICE_API_VERSION}`, '/apiVersion', place)
  if (typeof field(value, 'metadata', 'name') !== 'string') refuse('must be a text', '/metadata/name', place)
  if (!isRecord(field(value, 'spec'))) refuse('must be an object', '/spec', place)
  const properties = field(value, 'spec', 'properties')
  if (properties !== undefined && !Array.isArray(properties)) refuse('must be a list', '/spec/properties', place)
  for (const [index, property] of listOf(properties).entries()) {
    if (typeof field(property, 'name') !== 'string') refuse('must be a text', `/spec/properties/${index}/name`, place)
  }
  return true
}

function refuse(reason: string, pointer: string, { file, document }: Place): never {
  const at = `${document > 0 ? `document ${document + 1}, ` : ''}${pointer || '/'}`
  throw new ConfigError(`${file}: ${at}: ${reason}`, { code: 'PROCESS_MANIFEST_INVALID', fields: { file, pointer } })
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function field(value: unknown, ...path: readonly string[]): unknown {
  let at = value
  for (const step of path) at = isRecord(at) ? at[step] : undefined
  return at
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
