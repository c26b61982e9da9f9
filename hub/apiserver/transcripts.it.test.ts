import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { needs } from '../../tools/testing/needs.ts'
import { type ServedApi, serveTestApi } from './testing/serve.ts'
import { readTranscripts } from './testing/transcripts/library.ts'
import { differenceText, play } from './testing/transcripts/play.ts'

const transcripts = await readTranscripts()

const options = { skip: needs('kubectl'), concurrency: 4 }

describe('what kubectl prints here is what it prints at an upstream API server', options, () => {
  let api: ServedApi
  const cleanups: (() => Promise<void>)[] = []
  before(async () => {
    api = await serveTestApi({ after: (release) => void cleanups.push(release) })
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
