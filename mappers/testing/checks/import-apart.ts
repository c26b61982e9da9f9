import { registerHooks } from 'node:module'
import { openContractDoor } from '../../host/running/contract-door.ts'

/** Run with the URL of a module and the folder of Skerry: imports the module and prints what that did, as a JSON list. */
const [, , entry = '', root = ''] = process.argv
openContractDoor()
const loaded: string[] = []
registerHooks({
  load(url, context, next) {
    loaded.push(url)
    return next(url, context)
  },
})
await import(`${root}mappers/contract/index.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`)
const ground = new Set(loaded)
let printed = ''
const write = process.stdout.write
const before = process.getActiveResourcesInfo().length
process.stdout.write = (text: unknown) => {
  printed += String(text)
  return true
}
await import(entry)
process.stdout.write = write
// What it starts in the same turn counts as well.
await new Promise((resolve) => setImmediate(resolve))
const findings: string[] = []
const packages = loaded.filter((url) => !ground.has(url)).flatMap((url) => packageOf(url) ?? [])
if (packages.length > 0) findings.push(`loads ${[...new Set(packages)].join(', ')}`)
const open = process.getActiveResourcesInfo().slice(before)
if (open.length > 0) findings.push(`leaves open ${open.join(', ')}`)
if (printed !== '') findings.push('prints something')
process.stdout.write(`${JSON.stringify(findings)}\n`, () => process.exit())

function packageOf(url: string): string | undefined {
  const own = nameOf(entry)
  const name = nameOf(url)
  return name === undefined || ['typebox', 'skerry', own].includes(name) ? undefined : name
}

function nameOf(url: string): string | undefined {
  return /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1]
}
