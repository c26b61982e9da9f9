import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { needs } from '../../tools/testing/needs.ts'
import { temporaryFolder } from '../../tools/testing/temporary-folder.ts'
import { type ServedApi, serveApi } from './testing/serve.ts'
import { readTranscripts } from './testing/transcripts/library.ts'
import { differenceText, play } from './testing/transcripts/play.ts'

const transcripts = await readTranscripts()

const options = { skip: needs('kubectl'), concurrency: 4 }

describe('what kubectl prints here is what it prints at an upstream API server', options, () => {
  let api: ServedApi
  const cleanups: (() => Promise<void>)[] = []
  before(async () => {
    const directory = temporaryFolder()
    // One that has been there before: of what was then, it remembers what there is, and no changes.
    const first = await serveApi(directory)
    await first[Symbol.asyncDispose]()
    api = await serveApi(directory)
    cleanups.push(async () => await api[Symbol.asyncDispose]())
  })
  after(async () => {
    for (const release of cleanups) await release()
  })
  for (const transcript of transcripts) {
    it(transcript.name.replaceAll('-', ' '), async () => {
      const differences = await play(api, transcript, `t-${transcript.name}`)
      assert.deepEqual(differences.map(differenceText), [])
    })
  }
})
