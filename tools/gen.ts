import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { chart, manifests } from '../deploy/source/index.ts'
import { configurationPage } from './gen/configuration.ts'
import { errorsPage } from './gen/errors.ts'
import { kubernetesTypes } from './gen/kubernetes-schemas.ts'
import { metricsPage } from './gen/metrics.ts'
import { podsPage } from './gen/pods.ts'
import { protocolsPage } from './gen/protocols.ts'
import { statusPage } from './gen/status.ts'

const { version }: { version: string } = JSON.parse(readFileSync('package.json', 'utf8'))

/** Generated files: where each is, and what makes it. */
const PAGES: Readonly<Record<string, () => string | Promise<string>>> = {
  'docs/reference/configuration.md': configurationPage,
  'docs/reference/errors.md': errorsPage,
  'docs/reference/metrics.md': metricsPage,
  'docs/reference/pods.md': podsPage,
  'docs/reference/protocols.md': protocolsPage,
  'docs/reference/status.md': statusPage,
  'hub/kube/builtin/types.generated.ts': kubernetesTypes,
  ...made({ ...manifests(), ...chart(version) }),
}

/** `npm run gen` writes them; with --check nothing is written and a page that differs fails. */
const isCheck = process.argv.includes('--check')
for (const [file, make] of Object.entries(PAGES)) {
  const text = await make()
  if (!isCheck) {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  } else if (read(file) !== text) {
    process.stderr.write(`${file} differs from its sources: npm run gen\n`)
    process.exitCode = 1
  }
}

function made(files: Readonly<Record<string, string>>) {
  return Object.fromEntries(Object.entries(files).map(([file, text]) => [file, () => text]))
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}
