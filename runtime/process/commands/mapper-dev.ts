import { type FSWatcher, watch } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { describeError } from '../../../platform/lifecycle/index.ts'
import { ms, systemClock } from '../../../platform/time/index.ts'
import type { CommonOptions } from '../command-options.ts'
import { EXIT } from '../exit.ts'
import { type DevEvent, eventText } from '../mapper/dev-events.ts'
import { DevSession } from '../mapper/dev-session.ts'
import { findFile } from '../mapper/find-file.ts'
import { stopSignal, untilAborted } from '../signals.ts'
import type { Console } from '../terminal.ts'

export interface MapperDevOptions extends CommonOptions {
  readonly device?: string
  readonly model?: string
}

/** Editors save in several steps. */
const SETTLE = ms(80)
const USAGE = 'type: set PROPERTY VALUE, reload, or quit'

/** `skerry mapper dev [PATH]`: runs a mapper live in the real protocol host, and again after each save. */
export async function mapperDev(path: string, options: MapperDevOptions, terminal: Console): Promise<number> {
  const mapper = findFile(path, ['index', 'src/index', 'mapper'], 'the mapper')
  const folder = dirname(mapper)
  const files = {
    mapper,
    model: resolve(options.model ?? resolve(folder, 'model.yaml')),
    device: resolve(options.device ?? resolve(folder, 'device.yaml')),
  }
  const tell = (event: DevEvent) => {
    const time = new Date(systemClock.now()).toISOString()
    if (options.output === 'json') terminal.write(`${JSON.stringify({ time, ...event })}\n`)
    else terminal.write(`${eventText(event, time.slice(11, 19))}\n`)
  }
  const complain = (error: unknown) => tell({ type: 'complaint', reason: describeError(error) })
  const signal = stopSignal(() => process.exit(EXIT.unclean))
  const quit = new AbortController()
  const session = new DevSession(files, tell)
  try {
    await session.start()
    const changed = onChange([folder, dirname(files.model), dirname(files.device)], (names) => {
      const isManifest = [...names].every((name) => /\.ya?ml$/.test(name))
      const again = isManifest ? session.reloadManifests() : session.restart()
      again.catch(complain)
    })
    const input = createInterface({ input: process.stdin })
    input.on('line', (line) => {
      const [word, place, ...rest] = line.trim().split(/\s+/)
      if (word === 'quit') quit.abort()
      else if (word === 'reload') session.restart().catch(complain)
      else if (word === 'set' && place !== undefined && rest.length > 0) {
        const lack = session.set(place, rest.join(' '))
        if (lack !== undefined) complain(lack)
      } else if (word !== '') complain(USAGE)
    })
    if (options.output === 'text') terminal.write(`${USAGE}; a save of the mapper or of a manifest counts at once\n`)
    await untilAborted(AbortSignal.any([signal, quit.signal]))
    input.close()
    for (const watcher of changed) watcher.close()
  } finally {
    await session.close()
  }
  return EXIT.ok
}

/** Tells which sources and manifests were saved, together when they are saved together. */
function onChange(folders: readonly string[], take: (names: ReadonlySet<string>) => void): readonly FSWatcher[] {
  const names = new Set<string>()
  let timer: Disposable | undefined
  const settle = () => {
    const all = new Set(names)
    names.clear()
    take(all)
  }
  return [...new Set(folders)].map((folder) =>
    watch(folder, (_event, name) => {
      if (name === null || !/\.(m?[jt]s|ya?ml)$/.test(name)) return
      names.add(name)
      timer?.[Symbol.dispose]()
      timer = systemClock.after(SETTLE, settle)
    }),
  )
}
