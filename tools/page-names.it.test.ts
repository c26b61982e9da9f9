import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { apiEnvironment } from '../runtime/edged/containers/api-environment.ts'
import { VARIABLES } from '../runtime/edged/twins/create-pod-access.ts'
import { unknownNames } from './page-names.ts'

const ROOT = join(import.meta.dirname, '..')
/** Names channels of the bus, which look like settings. */
const OF_THE_HOUSE = 'docs/explanation/architecture.md'

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8')
const git = (...args: readonly string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' })

/** First cells of the tables of a generated page. */
const keysOf = (page: string) => new Set([...read(page).matchAll(/^\| `([^`]+)`/gm)].map(([, key = '']) => key))

/** Names in the first cells of the table of files. */
const filesOf = (page: string) => {
  const cells = [...(read(page).split('\n| file ')[1] ?? '').matchAll(/^\| ([^|]+)/gm)].map(([, cell = '']) => cell)
  return new Set(cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)))
}

const known = {
  settings: keysOf('docs/reference/configuration.md'),
  // What containers find in their environment looks like a code.
  codes: new Set([
    ...keysOf('docs/reference/errors.md'),
    ...Object.values(VARIABLES),
    ...apiEnvironment({ host: '127.0.0.1', port: 1 }).keys(),
  ]),
  metrics: keysOf('docs/reference/metrics.md'),
  files: filesOf('docs/reference/ports-and-files.md'),
}

it('pages name settings, codes and metrics that the product has', () => {
  const files = git('ls-files', '-z', 'docs/*.md', 'samples/*.md', '*.md', ':!:*/README.md')
    .split('\0')
    .filter((file) => file !== '' && file !== OF_THE_HOUSE)
  assert.ok(known.files.size > 20 && known.settings.size > 50 && known.codes.size > 50 && known.metrics.size > 30)
  assert.deepEqual(
    unknownNames(
      files.map((file) => ({ file, text: read(file) })),
      known,
    ),
    [],
  )
})

describe('what is said of names', () => {
  const at = (text: string) =>
    unknownNames([{ file: 'a.md', text }], {
      settings: new Set(['mqtt.port', 'mqtt.tls.key']),
      codes: new Set(['TWIN_NOT_FOUND']),
      metrics: new Set(['skerry_twins']),
      files: new Set(['mqtt.sock']),
    })

  it('knows a setting, a code and a metric that are gone', () =>
    assert.deepEqual(at('`mqtt.gate`, `mqtt.path`, `TWIN_IS_GONE` and `skerry_gone_total{outcome="failed"}`'), [
      'a.md: mqtt.gate',
      'a.md: mqtt.path',
      'a.md: TWIN_IS_GONE',
      'a.md: skerry_gone_total',
    ]))

  it('lets pass what is there, sections of it, files and names of others', () =>
    assert.deepEqual(
      at(
        '`mqtt.port` `mqtt.tls` `mqtt.db` `mqtt.sock` `status.twins` `TWIN_NOT_FOUND` `skerry_twins` `NAMESPACE_NAME`',
      ),
      [],
    ))
})
