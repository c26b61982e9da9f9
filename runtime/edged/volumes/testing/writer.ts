import { writeAtomicFolder } from '../folders/atomic-folder.ts'

/** Writes one of two volumes in turn until it is killed; says on its standard output how many it has written. */
const [folder = ''] = process.argv.slice(2)
for (let round = 0; ; round++) {
  const text = round % 2 === 0 ? 'even' : 'odd'
  const names = Array.from({ length: 20 }, (_, index) => `key-${index}`)
  const files = [...names, `only-${text}`].map((name) => [name, { data: Buffer.from(text), mode: 0o644 }] as const)
  await writeAtomicFolder(folder, new Map(files), { now: round })
  process.stdout.write(`${round}\n`)
}
