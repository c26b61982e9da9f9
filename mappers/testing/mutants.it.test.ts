import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { enableCompileCache } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import type { Mutant } from './mutants/mutant.ts'
import { MutantThread } from './mutants/mutant-threads.ts'
import { mutants } from './mutants/mutants.ts'
import { mutate, relocate } from './mutants/mutate.ts'

/** Most of them wait for what never comes. */
const AT_ONCE = 6

// Each thread would compile all again.
process.env['NODE_COMPILE_CACHE'] ??= enableCompileCache(join(tmpdir(), 'skerry-compile-cache')).directory

describe('the conformance suite', () => {
  const folder = temporaryFolder('skerry-mutants-')
  let source: string

  before(async () => {
    source = await readFile(new URL('./mutants/line-mapper.ts', import.meta.url), 'utf8')
  })

  const urlOf = async (name: string, text: string): Promise<string> => {
    const file = join(folder, `${name}.ts`)
    await writeFile(file, relocate(text))
    return pathToFileURL(file).href
  }

  it('passes the mapper that its bugs are planted in', async () => {
    const thread = new MutantThread()
    assert.equal(await thread.try(await urlOf('sound', source)), undefined)
    await thread.end()
  })

  it('finds at least 95 % of the planted bugs', async (t) => {
    const survivors: string[] = []
    const queue = [...mutants.entries()]
    const work = async () => {
      const thread = new MutantThread()
      for (let next = queue.shift(); next; next = queue.shift()) {
        const [at, mutant] = next
        const failed = await thread.try(await urlOf(`mutant-${at}`, mutate(source, mutant)))
        if (failed) t.diagnostic(`${mutant.category}: ${mutant.bug} -> ${failed.name}: ${failed.reason}`)
        else survivors.push(`${mutant.category}: ${mutant.bug}`)
      }
      await thread.end()
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    for (const survivor of survivors) t.diagnostic(`survives: ${survivor}`)
    const share = 1 - survivors.length / mutants.length
    t.diagnostic(`${mutants.length - survivors.length} of ${mutants.length} bugs found`)
    assert.ok(
      share >= 0.95,
      `only ${mutants.length - survivors.length} of ${mutants.length}; these survive:\n${survivors.join('\n')}`,
    )
  })

  it('has bugs of many kinds', () => {
    const counts = Map.groupBy(mutants, ({ category }: Mutant) => category)
    assert.ok(mutants.length >= 40)
    assert.ok(counts.size >= 9)
    assert.equal(new Set(mutants.map(({ bug }) => bug)).size, mutants.length)
  })
})
