import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { writeFileAtomic } from '../../../platform/files/index.ts'
import { UnavailableError } from '../../../platform/lifecycle/index.ts'
import { type Clock, type Duration, ms } from '../../../platform/time/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import { callKubernetes, isRecord, type KubeAccess, type KubeAnswer } from './kubernetes-apply.ts'
import { readStateFile } from './state-file.ts'

/** A folder of samples/ whose device talks to a simulator of this `skerry up`. */
export interface Sample {
  readonly name: string
  readonly folder: string
  readonly files: readonly string[]
  /** Keys of the device's configData that say where its simulator is now. */
  readonly address: JsonObject
  /** configData of the device with that address. */
  readonly place: (configData: JsonObject) => JsonObject
  readonly node: string
}

/** How long to wait. */
export interface Patience {
  readonly clock: Clock
  readonly deadline: Duration
  readonly signal: AbortSignal
}

/** How often somebody who waits looks. */
const LOOK = ms(150)
const DEVICES = '/apis/devices.kubeedge.io/v1beta1/namespaces/default/devices'
const PLURALS: Readonly<Record<string, string>> = { Device: 'devices', DeviceModel: 'devicemodels' }

export interface AppliedSample {
  readonly name: string
  /** Name of its Device. */
  readonly device: string
}

/**
 * Applies the samples that this cloud has never had (its folder remembers them), each as soon as its simulator is there, so
 * that a sample somebody deleted or changed stays so. Where a simulator moved, e.g. to another port, the device follows, unless
 * somebody gave it another address meanwhile.
 */
export async function applySamples(
  access: KubeAccess,
  directory: string,
  samples: readonly Promise<Sample>[],
): Promise<readonly AppliedSample[]> {
  const file = join(directory, 'samples.json')
  const applied = parseApplied(await readStateFile(file, 'remove it, and samples that are missing are made again'))
  const apply = async (pending: Promise<Sample>): Promise<AppliedSample> => {
    const sample = await pending
    const objects = await readObjects(sample)
    const before = applied[sample.name]
    if (before === undefined) await createAll(access, sample, objects)
    else if (!sameAddress(before, sample.address)) await move(access, sample, objects, before)
    applied[sample.name] = sample.address
    return { name: sample.name, device: String(field(deviceOf(objects), 'metadata', 'name')) }
  }
  const outcomes = await Promise.allSettled(samples.map(apply))
  await writeFileAtomic(file, `${JSON.stringify(applied, undefined, 2)}\n`, 0o600)
  return outcomes.map((outcome) => {
    if (outcome.status === 'rejected') throw outcome.reason
    return outcome.value
  })
}

/** Until each device that is there has a state, so that whoever looks now sees it online; false where that takes too long. */
export async function devicesHaveState(
  access: KubeAccess,
  samples: readonly AppliedSample[],
  { clock, deadline, signal }: Patience,
): Promise<boolean> {
  const names: readonly unknown[] = samples.map((sample) => sample.device)
  const end = clock.monotonic() + deadline.milliseconds
  for (;;) {
    const { body } = await callKubernetes(access, 'GET', DEVICES)
    const items = field(body, 'items')
    const waiting = (Array.isArray(items) ? items : []).filter(
      (item) => names.includes(field(item, 'metadata', 'name')) && !hasState(item),
    )
    if (waiting.length === 0) return true
    if (clock.monotonic() >= end) return false
    await clock.sleep(LOOK, signal)
  }
}

/** Until the edge has said to the cloud that its node is there; at the deadline the samples are applied anyway. */
export async function nodeIsThere(
  access: KubeAccess,
  node: string,
  { clock, deadline, signal }: Patience,
): Promise<void> {
  const end = clock.monotonic() + deadline.milliseconds
  while (clock.monotonic() < end) {
    const { status } = await callKubernetes(access, 'GET', `/api/v1/nodes/${node}`)
    if (status === 200) return
    await clock.sleep(LOOK, signal)
  }
}

function hasState(device: unknown): boolean {
  const state = field(device, 'status', 'state')
  return typeof state === 'string' && state !== 'unknown'
}

function deviceOf(objects: readonly unknown[]): unknown {
  return objects.find((object) => field(object, 'kind') === 'Device')
}

async function createAll(access: KubeAccess, sample: Sample, objects: readonly unknown[]): Promise<void> {
  for (const object of objects) {
    const answer = await callKubernetes(access, 'POST', collectionOf(object), object)
    if (answer.status !== 201 && answer.status !== 409) throw refused(sample, answer)
  }
}

async function move(
  access: KubeAccess,
  sample: Sample,
  objects: readonly unknown[],
  before: JsonObject,
): Promise<void> {
  for (const object of objects) {
    if (field(object, 'kind') !== 'Device') continue
    const path = `${collectionOf(object)}/${field(object, 'metadata', 'name')}`
    const found = await callKubernetes(access, 'GET', path)
    const configData = field(found.body, 'spec', 'protocol', 'configData')
    if (!isRecord(configData) || !Object.entries(before).every(([key, value]) => sameValue(configData[key], value))) {
      continue
    }
    // In a merge patch null takes a key away.
    const gone = Object.fromEntries(Object.keys(before).map((key) => [key, null]))
    const patch = { spec: { protocol: { configData: { ...gone, ...sample.address } } } }
    const answer = await callKubernetes(access, 'PATCH', path, patch)
    if (answer.status !== 200) throw refused(sample, answer)
  }
}

function sameAddress(left: JsonObject, right: JsonObject): boolean {
  const keys = new Set([...Object.keys(left), ...Object.keys(right)])
  return [...keys].every((key) => sameValue(left[key], right[key]))
}

/** People write numbers as texts too. */
function sameValue(left: unknown, right: unknown): boolean {
  return left !== undefined && right !== undefined && String(left) === String(right)
}

async function readObjects(sample: Sample): Promise<readonly unknown[]> {
  const objects: unknown[] = []
  for (const file of sample.files) {
    const text = await readFile(join(sample.folder, file), 'utf8')
    for (const document of parseAllDocuments(text)) objects.push(placed(document.toJS(), sample))
  }
  return objects
}

/** The sample as it stands in its file, on the node and at the address of this run. */
function placed(object: unknown, sample: Sample): unknown {
  if (!isRecord(object) || object['kind'] !== 'Device' || !isRecord(object['spec'])) return object
  const protocol = object['spec']['protocol']
  const given = isRecord(protocol) ? protocol['configData'] : undefined
  const configData = isJsonObject(given) ? given : {}
  return {
    ...object,
    spec: {
      ...object['spec'],
      nodeName: sample.node,
      protocol: { ...(isRecord(protocol) ? protocol : {}), configData: sample.place(configData) },
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

function parseApplied(value: unknown): Record<string, JsonObject> {
  const applied: Record<string, JsonObject> = {}
  for (const [name, address] of Object.entries(isRecord(value) ? value : {})) {
    // Before there were addresses of other kinds, the bare port was remembered.
    if (typeof address === 'number') applied[name] = { port: address }
    else if (isJsonObject(address)) applied[name] = address
  }
  return applied
}

/** What YAML or JSON became is JSON. */
function isJsonObject(value: unknown): value is JsonObject {
  return isRecord(value)
}

function refused(sample: Sample, answer: KubeAnswer): UnavailableError {
  return new UnavailableError(`sample ${sample.name} was not taken: ${String(field(answer.body, 'message'))}`, {
    code: 'PROCESS_SAMPLE_REFUSED',
    fields: { sample: sample.name, status: answer.status },
  })
}
