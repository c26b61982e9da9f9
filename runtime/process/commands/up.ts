import { accessSync, constants } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'
import { environment } from '../../../platform/environment/index.ts'
import { lockDirectory } from '../../../platform/files/index.ts'
import { callControl, serveControl } from '../../../platform/http/index.ts'
import { seconds, systemClock, systemRandom } from '../../../platform/time/index.ts'
import type { UpConfig } from '../../../schemas/config/index.ts'
import type { CommonOptions } from '../command-options.ts'
import { configFile } from '../config-file.ts'
import { dataDirectory, LOCAL_DATA, prepareDataDirectory } from '../data-directory.ts'
import { EXIT } from '../exit.ts'
import { namedMapper, withMapperPaths } from '../mapper-settings.ts'
import { readConfig } from '../read-config.ts'
import { settleHeap } from '../settle-heap.ts'
import { stopSignal, untilAborted } from '../signals.ts'
import { type ProcessReport, parseStatusReport, type StatusReport } from '../status/report.ts'
import type { Console } from '../terminal.ts'
import { hints } from '../up/hints.ts'
import type { Part } from '../up/part.ts'
import { automaticPorts, fixedPorts } from '../up/ports.ts'
import { humanProgress, jsonProgress } from '../up/progress.ts'
import { Supervisor } from '../up/supervisor.ts'
import { packageRoot, version } from '../version.ts'

export interface UpOptions extends CommonOptions {
  readonly ports?: string
  readonly samples?: boolean
  readonly mapper?: readonly string[]
}

/** `skerry up`: a supervisor over the cloud half, the edge half and the simulators, until it is asked to stop. */
export async function up(options: UpOptions, terminal: Console): Promise<number> {
  const directory = dataDirectory(options.data, 'up')
  const config = await readUpConfig(configFile(options.config, directory))
  await prepareDataDirectory(directory)
  await using _lock = await lockDirectory(directory)
  const signal = stopSignal(() => process.exit(EXIT.unclean))
  const progress =
    options.output === 'json' ? jsonProgress(terminal, systemClock) : humanProgress(terminal, systemClock)
  progress.line(`Skerry ${version}, data in ${directory}`)
  await using supervisor = new Supervisor({
    directory,
    config: { ...config, samples: config.samples && options.samples !== false },
    mappers: (options.mapper ?? []).map(namedMapper),
    ports: options.ports === 'auto' ? await automaticPorts(directory) : await fixedPorts(config.ports),
    launcher: join(packageRoot, 'bin', 'skerry.mjs'),
    samplesFolder: join(packageRoot, 'samples'),
    clock: systemClock,
    random: systemRandom,
    progress,
  })
  let isComplete = false
  await using _control = await serveControl({ dir: directory, routes: routes(supervisor, directory, () => isComplete) })
  const start = systemClock.monotonic()
  const endpoints = await supervisor.start(signal)
  isComplete = true
  settleHeap()
  const took = `${((systemClock.monotonic() - start) / 1000).toFixed(1)} s`
  const lines = hints({
    endpoints,
    directory: directory === resolve(LOCAL_DATA) ? undefined : directory,
    samples: supervisor.samples.map((sample) => sample.device),
  })
  progress.result({ ready: true, endpoints, hints: lines }, [
    '',
    `Ready in ${took}. Try in another terminal:`,
    '',
    ...lines.map(
      (hint) =>
        `  ${hint.command}\n    ${terminal.isTty ? '\u001b[2m' : ''}# ${hint.what}${terminal.isTty ? '\u001b[0m' : ''}`,
    ),
    '',
    ...(hasKubectl() ? [] : ['kubectl is not installed here; get it from https://kubernetes.io/docs/tasks/tools/', '']),
    'Ctrl-C stops everything; the data stays.',
  ])
  await untilAborted(signal)
  progress.line('Stopping ...')
  return EXIT.ok
}

async function readUpConfig(file: string | undefined): Promise<UpConfig> {
  const { mappers, ...config } = await readConfig('up', { file })
  if (mappers === undefined) return config
  return withMapperPaths({ ...config, mappers }, dirname(file ?? '.'))
}

function routes(supervisor: Supervisor, directory: string, isComplete: () => boolean) {
  const partOf = (body: unknown) =>
    typeof body === 'object' && body !== null && 'part' in body && typeof body.part === 'string' ? body.part : ''
  return {
    'GET /status': () => report(supervisor, directory, isComplete()),
    'POST /parts/stop': async (body: unknown) => {
      await supervisor.stopPart(partOf(body))
      return supervisor.part(partOf(body)).status
    },
    'POST /parts/start': async (body: unknown) => {
      await supervisor.startPart(partOf(body))
      return supervisor.part(partOf(body)).status
    },
  }
}

/** Until the last part has been started once, `skerry up` itself stands in for those that are still to come. */
async function report(supervisor: Supervisor, directory: string, isComplete: boolean): Promise<StatusReport> {
  const processes: ProcessReport[] = await Promise.all(
    supervisor.parts.map((part) => partReport(supervisor, part, directory)),
  )
  if (!isComplete) {
    const sinceMs = systemClock.now() - process.uptime() * 1000
    processes.unshift({ name: 'up', state: 'starting', sinceMs, pid: process.pid, modules: [] })
  }
  return { version, processes }
}

/** The part as its supervisor sees it, with the modules that it names itself on its own control socket. */
async function partReport(supervisor: Supervisor, part: Part, directory: string): Promise<ProcessReport> {
  if (part.status.state === 'stopped' || !supervisor.hasModules(part.name)) return { ...part.status, modules: [] }
  try {
    const dir = join(directory, part.name)
    const own = parseStatusReport(await callControl({ dir, method: 'GET', path: '/status', deadline: seconds(3) }))
    const { modules = [], road, nodes } = own.processes[0] ?? {}
    return { ...part.status, modules, ...(road ? { road } : {}), ...(nodes ? { nodes } : {}) }
  } catch {
    // A part that does not answer is a finding of this report, not a failure of it.
    const state = part.status.state === 'ready' ? 'silent' : part.status.state
    return { ...part.status, state, modules: [] }
  }
}

function hasKubectl(): boolean {
  return (environment('PATH') ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, 'kubectl'), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
