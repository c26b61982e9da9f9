import assert from 'node:assert/strict'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { before, describe, it } from 'node:test'
import { boundaryViolations, type Violation } from './boundaries.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

/** A file that breaks a rule, and the rule. Files without a rule are what the others import. */
const PLANTED: readonly { readonly file: string; readonly text: string; readonly rule?: string }[] = [
  ...[
    'schemas',
    'platform/time',
    'twin',
    'hub/cloud',
    'hub/edge',
    'hub/link',
    'runtime/process',
    'mappers/opcua',
    'mappers/contract',
    'samples/a',
  ].map((folder) => ({ file: `${folder}/index.ts`, text: 'export const a = 1' })),
  { file: 'platform/time/testing/index.ts', text: 'export const a = 1' },
  { file: 'platform/time/inner.ts', text: 'export const a = 1' },
  {
    file: 'twin/left.ts',
    text: "import { right } from './right.ts'\nexport const left = () => right",
    rule: 'no-cycle',
  },
  { file: 'twin/right.ts', text: "import { left } from './left.ts'\nexport const right = () => left" },
  { file: 'twin/gone.ts', text: "export { a } from './nowhere.ts'", rule: 'no-unresolvable' },
  { file: 'schemas/up.ts', text: "export { a } from '../platform/time/index.ts'", rule: 'schemas-is-a-leaf' },
  { file: 'schemas/node.ts', text: "export { join } from 'node:path'", rule: 'schemas-are-pure' },
  { file: 'platform/bus/up.ts', text: "export { a } from '../../twin/index.ts'", rule: 'platform-knows-no-domain' },
  {
    file: 'deploy/source/up.ts',
    text: "export { a } from '../../platform/time/index.ts'",
    rule: 'deploy-knows-schemas-only',
  },
  { file: 'twin/across.ts', text: "export { a } from '../hub/link/index.ts'", rule: 'domains-meet-on-the-bus' },
  {
    file: 'hub/link/up.ts',
    text: "export { a } from '../../runtime/process/index.ts'",
    rule: 'nobody-imports-process',
  },
  {
    file: 'mappers/modbus/deep.ts',
    text: "export { a } from '../../platform/time/index.ts'",
    rule: 'driver-sees-contract-only',
  },
  {
    file: 'mappers/modbus/across.ts',
    text: "export { a } from '../opcua/index.ts'",
    rule: 'driver-sees-contract-only',
  },
  { file: 'mappers/serial-port/index.ts', text: 'export const a = 1' },
  { file: 'mappers/payload/index.ts', text: 'export const a = 1' },
  {
    file: 'mappers/modbus/shares.ts',
    text: "export { a } from '../serial-port/index.ts'\nexport { a as b } from '../payload/index.ts'",
  },
  {
    file: 'mappers/mqtt/line.ts',
    text: "export { a } from '../serial-port/index.ts'",
    rule: 'serial-ports-for-lines',
  },
  {
    file: 'mappers/serial-port/up.ts',
    text: "export { a } from '../contract/index.ts'",
    rule: 'serial-port-knows-no-protocol',
  },
  {
    file: 'mappers/payload/up.ts',
    text: "export { a } from '../contract/index.ts'",
    rule: 'payload-knows-schemas-only',
  },
  { file: 'mappers/payload/node.ts', text: "export { join } from 'node:path'", rule: 'payload-is-pure' },
  { file: 'mappers/modbus/vendor.ts', text: "export * from 'serialport'", rule: 'serial-ports-in-their-mappers' },
  { file: 'mappers/opcua/driver.ts', text: 'export const a = 1' },
  {
    file: 'mappers/simulators/opcua/deep.ts',
    text: "export { a } from '../../opcua/driver.ts'",
    rule: 'simulators-share-no-driver',
  },
  {
    file: 'hub/cloud/across.ts',
    text: "export { a } from '../edge/index.ts'",
    rule: 'hub-parts-meet-on-link-and-kube',
  },
  {
    file: 'hub/serving/across.ts',
    text: "export { a } from '../cloud/index.ts'",
    rule: 'hub-parts-meet-on-link-and-kube',
  },
  { file: 'hub/serving/answers/answer.ts', text: 'export const a = 1' },
  { file: 'hub/edge/serves.ts', text: "export { a } from '../serving/answers/answer.ts'" },
  {
    file: 'hub/cloud/serves.ts',
    text: "export { a } from '../serving/answers/answer.ts'",
    rule: 'serving-is-for-servers',
  },
  { file: 'hub/tunnel/up.ts', text: "export { a } from '../cloud/index.ts'", rule: 'tunnel-knows-link-only' },
  { file: 'platform/time/inside.ts', text: "export { a } from './index.ts'", rule: 'never-the-own-door' },
  { file: 'twin/window.ts', text: "export { a } from '../platform/time/inner.ts'", rule: 'one-door' },
  {
    file: 'twin/tested.ts',
    text: "export { a } from '../platform/time/testing/index.ts'",
    rule: 'no-test-code-in-product',
  },
  { file: 'twin/sampled.ts', text: "export { a } from '../samples/a/index.ts'", rule: 'no-test-code-in-product' },
  { file: 'twin/vendor-type.ts', text: "export type { WebSocket } from 'ws'", rule: 'websocket-behind-the-link' },
  ...[
    ['mqtt-behind-the-bus', 'aedes'],
    ['kubernetes-behind-the-cloud-hub', '@kubernetes/client-node'],
    ['typeorm-behind-the-store', 'typeorm'],
    ['websocket-behind-the-link', 'ws'],
    ['pino-behind-the-log', 'pino'],
    ['metrics-behind-health', 'prom-client'],
    ['commander-behind-the-command-line', 'commander'],
    ['certificates-in-one-place', '@peculiar/x509'],
    ['tokens-in-the-cloud', 'jose'],
    ['modbus-in-its-mapper', 'modbus-serial'],
    ['serial-ports-in-their-mappers', 'serialport'],
    ['pseudo-terminals-in-simulators', '@lydell/node-pty'],
    ['opcua-in-its-mapper', 'node-opcua-client'],
    ['protobuf-at-its-wires', 'protobufjs'],
    ['grpc-behind-the-runtime', '@grpc'],
    ['expressions-behind-their-compiler', 're2js'],
    ['json-patch-behind-kube', 'rfc6902'],
    ['yaml-at-the-borders', 'yaml'],
    ['sqlite-behind-the-store', 'node:sqlite'],
  ].map(([rule = '', name = '']) => ({
    file: `twin/vendor-${rule}.ts`,
    text: `import * as vendor from '${name}'\nexport const a = vendor`,
    rule,
  })),
]

describe('each boundary rule fires on a planted breach', () => {
  const root = temporaryFolder('skerry-boundaries-')
  let violations: readonly Violation[]

  before(async () => {
    for (const { file, text } of PLANTED) {
      await mkdir(join(root, dirname(file)), { recursive: true })
      await writeFile(join(root, file), `${text}\n`)
    }
    await symlink(resolve('node_modules'), join(root, 'node_modules'))
    violations = (
      await boundaryViolations(root, ['schemas', 'platform', 'twin', 'hub', 'runtime', 'mappers', 'samples', 'deploy'])
    ).violations
  })

  it('none fires where protocols share what they may', () => {
    assert.deepEqual(
      violations.filter(({ from }) => from === 'mappers/modbus/shares.ts'),
      [],
    )
  })

  for (const { file, rule } of PLANTED) {
    if (rule === undefined) continue
    it(`${rule}: ${file}`, () => {
      const found = violations.filter((violation) => violation.from === file).map((violation) => violation.rule)
      assert.ok(found.includes(rule), `rules that fired: ${found.join(', ') || 'none'}`)
    })
  }

  it('no rule is left without a breach', () => {
    const { forbidden }: { forbidden: { name: string }[] } = createRequire(import.meta.url)(
      '../.dependency-cruiser.cjs',
    )
    const planted = new Set(PLANTED.map((each) => each.rule))
    assert.deepEqual(
      forbidden.map(({ name }) => name).filter((name) => !planted.has(name)),
      [],
    )
  })
})
