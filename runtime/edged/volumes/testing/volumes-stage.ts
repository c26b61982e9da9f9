import { mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { UnavailableError } from '../../../../platform/lifecycle/index.ts'
import { memoryLogger } from '../../../../platform/log/testing/index.ts'
import { systemClock } from '../../../../platform/time/index.ts'
import type { JsonObject, ServiceAccountTokenRequest } from '../../../../schemas/index.ts'
import { temporaryFolder } from '../../../../tools/testing/temporary-folder.ts'
import { Places } from '../../places.ts'
import type { PodFacts } from '../../pod/facts.ts'
import { parsePod } from '../../pod/parse-pod.ts'
import type { Pod } from '../../pod/pod.ts'
import type { Mounts } from '../mounts/mounts.ts'
import { SystemMounts } from '../mounts/system-mounts.ts'
import { createPodVolumes } from '../pod-volumes.ts'
import { FakeMounts } from './fake-mounts.ts'

export const FACTS: PodFacts = {
  nodeName: 'till-7',
  hostIps: ['10.0.0.7'],
  podIps: ['10.88.0.2'],
  allocatable: { milliCpu: 2000, memoryBytes: 64 * 1024 * 1024, diskBytes: 1024 * 1024 * 1024 },
}

export const NEVER = new AbortController().signal

/** Volumes of pods on folders of a test, with what the cloud has in maps. */
export interface Stage<M extends Mounts> {
  readonly folder: string
  readonly places: Places
  readonly mounts: M
  readonly log: ReturnType<typeof memoryLogger>
  readonly volumes: ReturnType<typeof createPodVolumes>
  /** By `<namespace>/<name>`. */
  readonly configMaps: Map<string, JsonObject>
  readonly secrets: Map<string, JsonObject>
  readonly tokenRequests: ServiceAccountTokenRequest[]
  token: string
  isOffline: boolean
  /** Another process in place of this one: nothing is remembered. */
  restarted(): ReturnType<typeof createPodVolumes>
}

export function fakeStage(folder?: string): Stage<FakeMounts> {
  return stageOf(new FakeMounts(), folder)
}

export function realStage(folder?: string): Stage<SystemMounts> {
  return stageOf(new SystemMounts(systemClock), folder)
}

function stageOf<M extends Mounts>(mounts: M, folder = realpathSync(temporaryFolder())): Stage<M> {
  const places = new Places(join(folder, 'edged'), join(folder, 'logs'))
  mkdirSync(places.pods, { recursive: true, mode: 0o700 })
  const [configMaps, secrets] = [new Map<string, JsonObject>(), new Map<string, JsonObject>()]
  const log = memoryLogger()
  const tokenRequests: ServiceAccountTokenRequest[] = []
  const away = () => {
    if (stage.isOffline) throw new UnavailableError('The cloud is not connected', { code: 'HUB_OFFLINE' })
  }
  const read = (objects: Map<string, JsonObject>) => async (namespace: string, name: string) => {
    away()
    return objects.get(`${namespace}/${name}`)
  }
  const objects = { configMap: read(configMaps), secret: read(secrets) }
  const token = async (request: ServiceAccountTokenRequest) => {
    tokenRequests.push(request)
    away()
    return { token: stage.token, expiresAt: 0 }
  }
  const restarted = () => createPodVolumes({ places, objects, token, mounts, clock: systemClock, log })
  const stage: Stage<M> = {
    ...{ folder, places, mounts, log, configMaps, secrets, tokenRequests, restarted },
    volumes: restarted(),
    token: 'first',
    isOffline: false,
  }
  return stage
}

/** A pod whose container `app` mounts each volume at `/<its name>`. */
export function podWith(volumes: readonly JsonObject[], more: JsonObject = {}, container: JsonObject = {}): Pod {
  const volumeMounts = volumes.map(({ name }) => ({ name: String(name), mountPath: `/${String(name)}` }))
  const { metadata = {}, ...spec } = more
  const parsed = parsePod({
    metadata: { name: 'till', namespace: 'shop', uid: 'u-1', ...(typeof metadata === 'object' ? metadata : {}) },
    spec: {
      volumes: [...volumes],
      containers: [{ name: 'app', image: 'till:1', volumeMounts, ...container }],
      ...spec,
    },
  })
  if ('refusal' in parsed) throw new Error(parsed.refusal)
  return parsed.pod
}

/** An object with text under its keys, as the cloud keeps it. */
export function configMap(data: Readonly<Record<string, string>>): JsonObject {
  return { data }
}

export function secret(data: Readonly<Record<string, string>>): JsonObject {
  return {
    data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString('base64')])),
  }
}
