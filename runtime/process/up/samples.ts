import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { writeFileAtomic } from '../../../platform/files/index.ts'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { callKubernetes, isRecord, type KubeAccess, type KubeAnswer } from './kubernetes-apply.ts'
import { readStateFile } from './state-file.ts'

/** A folder of samples/ whose device talks to a simulator of this `skerry up`. */
export interface Sample {
  readonly name: string
  readonly folder: string
  readonly files: readonly string[]
  /** Where the simulator listens now; replaces the port of the device's configData. */
  readonly port: number
  readonly node: string
}

const PLURALS: Readonly<Record<string, string>> = { Device: 'devices', DeviceModel: 'devicemodels' }

/**
 * Applies the samples that this cloud has never had (its folder remembers them), so that a sample somebody deleted or changed stays so. Where a
 * simulator moved to another port, the device follows, unless somebody gave it another port meanwhile.
 */
export async function applySamples(access: KubeAccess, directory: string, samples: readonly Sample[]): Promise<void> {
  const file = join(directory, 'samples.json')
  const applied = parseApplied(await readStateFile(file, 'remove it, and samples that are missing are made again'))
  for (const sample of samples) {
    const before = applied[sample.name]
    if (before === undefined) await createAll(access, sample)
    else if (before !== sample.port) await movePort(access, sample, before)
    applied[sample.name] = sample.port
  }
  await writeFileAtomic(file, `${JSON.stringify(applied, undefined, 2)}\n`, 0o600)
}

async function createAll(access: KubeAccess, sample: Sample): Promise<void> {
  for (const object of await readObjects(sample)) {
    const answer = await callKubernetes(access, 'POST', collectionOf(object), object)
    if (answer.status !== 201 && answer.status !== 409) throw refused(sample, answer)
  }
}

async function movePort(access: KubeAccess, sample: Sample, before: number): Promise<void> {
  for (const object of await readObjects(sample)) {
    const path = `${collectionOf(object)}/${field(object, 'metadata', 'name')}`
    const found = await callKubernetes(access, 'GET', path)
    if (Number(field(found.body, 'spec', 'protocol', 'configData', 'port')) !== before) continue
    const patch = { spec: { protocol: { configData: { port: sample.port } } } }
    const answer = await callKubernetes(access, 'PATCH', path, patch)
    if (answer.status !== 200) throw refused(sample, answer)
  }
}

async function readObjects(sample: Sample): Promise<readonly unknown[]> {
  const objects: unknown[] = []
  for (const file of sample.files) {
    const text = await readFile(join(sample.folder, file), 'utf8')
    for (const document of parseAllDocuments(text)) objects.push(placed(document.toJS(), sample))
  }
  return objects
}

/** The sample as it stands in its file, on the node and port of this run. */
function placed(object: unknown, sample: Sample): unknown {
  if (!isRecord(object) || object['kind'] !== 'Device' || !isRecord(object['spec'])) return object
  const protocol = object['spec']['protocol']
  const configData = isRecord(protocol) && isRecord(protocol['configData']) ? protocol['configData'] : {}
  return {
    ...object,
    spec: {
      ...object['spec'],
      nodeName: sample.node,
      protocol: { ...(isRecord(protocol) ? protocol : {}), configData: { ...configData, port: sample.port } },
    },
  }
}

function collectionOf(object: unknown): string {
  const plural = PLURALS[String(field(object, 'kind'))] ?? String(field(object, 'kind')).toLowerCase()
  const namespace = field(object, 'metadata', 'namespace') ?? 'default'
  return `/apis/${field(object, 'apiVersion')}/namespaces/${namespace}/${plural}`
}

function field(value: unknown, ...path: readonly string[]): unknown {
  let at = value
  for (const step of path) at = isRecord(at) ? at[step] : undefined
  return at
}

function parseApplied(value: unknown): Record<string, number> {
  const applied: Record<string, number> = {}
  for (const [name, port] of Object.entries(isRecord(value) ? value : {})) {
    if (typeof port === 'number') applied[name] = port
  }
  return applied
}

function refused(sample: Sample, answer: KubeAnswer): UnavailableError {
  return new UnavailableError(`sample ${sample.name} was not taken: ${String(field(answer.body, 'message'))}`, {
    code: 'PROCESS_SAMPLE_REFUSED',
    fields: { sample: sample.name, status: answer.status },
  })
}
