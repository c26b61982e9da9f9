import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { identityFiles } from '../../../hub/edge/index.ts'
import { readFileIfPresent } from '../../../platform/files/index.ts'
import { describeError, SkerryError } from '../../../platform/lifecycle/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import type { CloudConfig, EdgeConfig, Endpoints, UpConfig } from '../../../schemas/config/index.ts'
import { askProcess } from '../ask.ts'
import { configFile } from '../config-file.ts'
import { ENDPOINTS_FILE } from '../endpoints.ts'
import { parseEndpoints } from '../parse-endpoints.ts'
import { type ConfigKind, type ConfigOf, readConfig } from '../read-config.ts'
import { parseStatusReport, type StatusReport } from '../status/report.ts'

/** What is set up in a data directory, as far as anybody can tell. */
export interface Setup {
  readonly directory: string
  /** None: nothing has been made there. */
  readonly kind: ConfigKind | 'none'
  /** Of a process that runs. */
  readonly status: StatusReport | undefined
  readonly endpoints: Endpoints
  /** Absent: there is none, or it cannot be read, which `problems` tell. */
  readonly edge?: EdgeSetup
  readonly cloud?: CloudConfig
  readonly up?: UpConfig
  readonly problems: readonly string[]
}

export interface EdgeSetup {
  readonly directory: string
  readonly config: EdgeConfig
}

const PATIENCE = seconds(5)

/** Looks at a data directory and asks the process that runs there; changes nothing and throws nothing. */
export async function readSetup(directory: string, named: string | undefined): Promise<Setup> {
  const problems: string[] = []
  const attempt = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof SkerryError && error.code === 'PROCESS_NOT_RUNNING')) problems.push(describeError(error))
      return undefined
    }
  }
  const kind = kindOf(directory, named)
  const read = <K extends ConfigKind>(of: K, folder: string) =>
    attempt<ConfigOf[K]>(() => readConfig(of, { file: configFile(named, folder) }))
  const edgeFolder = kind === 'up' ? join(directory, 'edge') : directory
  const hasEdge = kind === 'edge' || (kind === 'up' && existsSync(join(edgeFolder, 'config.yaml')))
  const edge = hasEdge
    ? await (kind === 'up'
        ? attempt(() => readConfig('edge', { file: configFile(undefined, edgeFolder) }))
        : read('edge', edgeFolder))
    : undefined
  const cloud = kind === 'cloud' ? await read('cloud', directory) : undefined
  const up = kind === 'up' ? await read('up', directory) : undefined
  const status = await attempt(async () => parseStatusReport(await askProcess(directory, 'GET', '/status', PATIENCE)))
  const endpoints = (await attempt(() => readEndpoints(directory))) ?? {}
  return {
    ...{ directory, kind, status, endpoints, problems },
    ...(edge ? { edge: { directory: edgeFolder, config: edge } } : {}),
    ...(cloud ? { cloud } : {}),
    ...(up ? { up } : {}),
  }
}

function kindOf(directory: string, named: string | undefined): Setup['kind'] {
  const has = (...parts: readonly string[]) => existsSync(join(directory, ...parts))
  if (has('edge') || has('ports.json')) return 'up'
  if (existsSync(identityFiles(directory).certificate)) return 'edge'
  if (has('kubernetes.db') || has('pki', 'kubernetes')) return 'cloud'
  return named !== undefined || has('config.yaml') ? 'edge' : 'none'
}

async function readEndpoints(directory: string): Promise<Endpoints> {
  const file = join(directory, ENDPOINTS_FILE)
  const text = await readFileIfPresent(file)
  return text === undefined ? {} : parseEndpoints(JSON.parse(text), file)
}
