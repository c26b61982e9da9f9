import { hasCode } from '../../../platform/lifecycle/index.ts'
import type { JsonObject } from '../../../schemas/index.ts'
import type { Places } from '../places.ts'
import { listIn, objectIn, textIn } from '../pod/json.ts'
import type { Pod } from '../pod/pod.ts'
import { readJsonLine } from '../server/logs/json-line.ts'
import { LogFolder } from '../server/logs/log-folder.ts'
import type { ContainerView, PodView } from '../state/pod-view.ts'
import type { ContainerFiles } from '../volumes/container-files/container-files.ts'

/** Kubernetes, MaxContainerTerminationMessageLogLength and -Lines. */
const LONGEST_BYTES = 2048
const MOST_LINES = 80
/** Each line of a log has its time and stream before it. */
const READ_BYTES = 16 * 1024

export interface LastWordsPorts {
  readonly containerFiles: Pick<ContainerFiles, 'lastWords'>
  readonly places: Places
}

/** What the containers of one pod said at their end, each read once. */
export class LastWords {
  readonly #ports: LastWordsPorts
  readonly #words = new Map<string, string>()

  constructor(ports: LastWordsPorts) {
    this.#ports = ports
  }

  /** `before`: the status that was said last; what it has of a container was read from files that may be gone since. */
  async of(pod: Pod, view: PodView, before: JsonObject | undefined): Promise<ReadonlyMap<string, string>> {
    const exited = view.containers.filter(({ state }) => state === 'exited')
    const ids = new Set(exited.map(({ id }) => id))
    for (const id of this.#words.keys()) if (!ids.has(id)) this.#words.delete(id)
    for (const container of exited) {
      if (this.#words.has(container.id)) continue
      this.#words.set(container.id, wordsIn(before, container.id) ?? (await this.#hear(pod, container)))
    }
    return this.#words
  }

  async #hear(pod: Pod, exited: ContainerView): Promise<string> {
    const { name, attempt } = exited.metadata
    const said = await this.#ports.containerFiles.lastWords(pod, name, attempt)
    const declared = [...pod.spec.containers, ...pod.spec.initContainers].find((each) => each.name === name)
    const isFromLog = declared?.terminationMessagePolicy === 'FallbackToLogsOnError' && exited.exitCode !== 0
    if (said !== '' || !isFromLog) return said
    const { places } = this.#ports
    await using folder = await LogFolder.open(places.logs, [places.podLogFolder(pod), name], exited.id)
    return folder ? await endOfLog(folder, `${attempt}.log`) : ''
  }
}

/** Undefined where it was not said yet that the container has ended. */
function wordsIn(status: JsonObject | undefined, containerId: string): string | undefined {
  const said = ['containerStatuses', 'initContainerStatuses'].flatMap((list) => listIn(status, list))
  const ends = said.flatMap((each) => ['state', 'lastState'].map((at) => objectIn(objectIn(each, at), 'terminated')))
  const end = ends.find((each) => textIn(each, 'containerID')?.endsWith(`//${containerId}`))
  return end && (textIn(end, 'message') ?? '')
}

/** The text of the last lines of a log, of CRI (`<time> <stream> <tag> <text>`) or of Docker. */
async function endOfLog(folder: LogFolder, log: string): Promise<string> {
  await using file = await folder.file(log).catch(unlessNoFile)
  if (!file?.plain) return ''
  const { size } = await file.plain.stat()
  const bytes = Buffer.alloc(Math.min(READ_BYTES, size))
  const { bytesRead } = await file.plain.read(bytes, 0, bytes.length, size - bytes.length)
  const lines = bytes.subarray(0, bytesRead).toString('utf8').split('\n')
  const whole = size > bytes.length ? lines.slice(1) : lines
  const texts = whole.flatMap((line) => textOf(line) ?? [])
  return texts.slice(-MOST_LINES).join('\n').slice(-LONGEST_BYTES)
}

/** A container that has its log folder mounted may lead nobody elsewhere. */
function unlessNoFile(error: unknown): undefined {
  if (!hasCode(error, 'EDGED_LOG_NOT_A_FILE')) throw error
}

function textOf(line: string): string | undefined {
  return line.startsWith('{')
    ? readJsonLine(Buffer.from(line))?.content.toString()
    : /^\S+ \S+ \S+ ?(.*)$/s.exec(line)?.[1]
}
