import { pathToFileURL } from 'node:url'
import { openContractDoor } from '../../../mappers/host/index.ts'
import {
  type ConformanceServer,
  type ConformanceSubject,
  checkMapper,
  resultText,
  summaryText,
} from '../../../mappers/testing/index.ts'
import { ConfigError } from '../../../platform/lifecycle/index.ts'
import { seconds } from '../../../platform/time/index.ts'
import type { CommonOptions } from '../command-options.ts'
import { EXIT } from '../exit.ts'
import { findFile } from '../mapper/find-file.ts'
import { describeLoading } from '../mapper/source-place.ts'
import { StallGuard } from '../mapper/stall-guard.ts'
import type { Console } from '../terminal.ts'

/** As long as an edge waits for life of a mapper. */
const STALL = seconds(10)

/** `skerry mapper test [PATH]`: the conformance suite on the subject of a mapper's package; exits 1 when a check failed. */
export async function mapperTest(path: string, options: CommonOptions, terminal: Console): Promise<number> {
  const file = findFile(
    path,
    ['conformance', 'test/conformance', 'src/conformance'],
    'which says what the mapper is tried on',
  )
  using guard = new StallGuard(STALL)
  guard.doing('can be loaded')
  const subject = await loadSubject(file)
  const isText = options.output === 'text'
  const report = await checkMapper(subject, {
    onBegin: ({ name }) => guard.doing(name),
    onResult: (result) => {
      if (isText && result.result !== 'not applicable') terminal.write(`${resultText(result)}\n`)
    },
  })
  terminal.print(options.output, report, summaryText(report))
  return report.failed > 0 ? EXIT.failure : EXIT.ok
}

type Subject = ConformanceSubject<unknown, unknown, AsyncDisposable, ConformanceServer>

async function loadSubject(file: string): Promise<Subject> {
  openContractDoor()
  const loaded: unknown = await import(pathToFileURL(file).href).catch(async (cause: unknown) => {
    throw new ConfigError(`${file} cannot be loaded: ${await describeLoading(cause, file)}`, {
      code: 'PROCESS_MAPPER_SUBJECT',
      cause,
    })
  })
  const subject = isObject(loaded) ? loaded['default'] : undefined
  const lack = lackOf(subject)
  if (lack === undefined && isSubject(subject)) return subject
  throw new ConfigError(
    `${file} has no subject: ${lack}; end it with export default defineSubject({ mapper, server, device, cases })`,
    {
      code: 'PROCESS_MAPPER_SUBJECT',
    },
  )
}

function lackOf(value: unknown): string | undefined {
  if (!isObject(value)) return 'its default export is no object'
  if (!isObject(value['mapper'])) return 'mapper is missing'
  for (const name of ['server', 'device']) if (typeof value[name] !== 'function') return `${name} is no function`
  const cases = value['cases']
  if (!isObject(cases) || !Array.isArray(cases['readable'])) return 'cases.readable is no list'
  return undefined
}

/** What can be checked of a loaded module at run time has been. */
function isSubject(value: unknown): value is Subject {
  return lackOf(value) === undefined
}

function isObject(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null
}
