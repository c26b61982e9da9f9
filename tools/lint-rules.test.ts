import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { lintFile } from './lint-rules.ts'

const rulesOf = (file: string, text: string) => lintFile(file, text).map((finding) => finding.rule)

describe('lint', () => {
  for (const [what, text, rule] of [
    ['a type assertion', 'export const a = JSON.parse("1") as number', 'no-as'],
    ['a non-null assertion', 'export const a = (x?: string) => x!.length', 'no-non-null'],
    ['any', 'export function a(x: any) { return x }', 'no-any'],
    ['Date.now', 'export const a = Date.now()', 'no-global'],
    ['new Date without an argument', 'export const a = new Date()', 'no-global'],
    ['setTimeout', 'setTimeout(() => undefined, 1)', 'no-global'],
    ['Math.random', 'export const a = Math.random()', 'no-global'],
    ['process.env', 'export const a = process.env["A"]', 'no-global'],
    ['process.env by another door', 'export const a = process["env"]', 'no-global'],
    ['process.env taken apart', 'export const { env } = process', 'no-global'],
    ['a global through globalThis', 'globalThis.setTimeout(() => undefined, 1)', 'no-global'],
    ['a timer handed on as a value', 'export const a = { later: setTimeout }', 'no-global'],
    ['timers as a module', "import { setTimeout as later } from 'node:timers/promises'\nlater(1)", 'no-global'],
    ['a deadline of its own', 'export const a = AbortSignal.timeout(5)', 'no-global'],
    ['console', 'console.log(1)', 'no-global'],
    ['process.exit', 'process.exit(1)', 'no-global'],
    ['an empty catch', 'try { a() } catch {}\nfunction a() {}', 'empty-catch'],
    ['a default export', 'export default 1', 'no-default-export'],
    ['a file of two ideas', '\n'.repeat(460), 'long-file'],
  ] as const) {
    it(`reports ${what}`, () => assert.deepEqual(rulesOf('twin/model/a.ts', text), [rule]))
  }

  for (const [what, file, text] of [
    ['as const', 'twin/a.ts', 'export const a = [1] as const'],
    ['new Date of a given time', 'twin/a.ts', 'export const a = (ms: number) => new Date(ms).toISOString()'],
    ['Date.now at home', 'platform/time/system-clock.ts', 'export const a = Date.now()'],
    ['a member named like a global', 'twin/a.ts', 'export const a = (x: { setTimeout(): void }) => x.setTimeout()'],
    ['a key named like a global', 'twin/a.ts', 'export const a = { setTimeout: 1, console: 2 }'],
    ['a type of a global', 'twin/a.ts', 'export type A = ReturnType<typeof setTimeout>'],
    ['an explained empty catch', 'twin/a.ts', 'try { a() } catch {\n  // the file is gone already\n}\nfunction a() {}'],
    ['sleeping in a test helper', 'twin/testing/a.ts', 'setTimeout(() => undefined, 1)'],
    ['the default export of a protocol', 'mappers/modbus/index.ts', 'export default 1'],
  ] as const) {
    it(`lets pass ${what}`, () => assert.deepEqual(rulesOf(file, text), []))
  }
})
