// What `skerry/mapper/line` is for a program of its own, such as the tests of a mapper. In a checkout it is the sources.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('../mappers/text-line/index.ts', import.meta.url))
const compiled = fileURLToPath(new URL('../dist/mappers/text-line/index.js', import.meta.url))

export const { openTextLine } = createRequire(import.meta.url)(existsSync(source) ? source : compiled)
